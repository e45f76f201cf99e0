/**
 * Options of one call, and the deadline that follows from them and from the call it is made for. Owns the arithmetic of
 * inheritance, nothing of the call.
 */
import { requireEncoding } from "../compression/encodings.ts";
import type { ResolvedCompression } from "../compression/options.ts";
import type { CompressionName, MessageEncoding } from "../grpc/message-encoding.ts";
import { ambientCall } from "../rpc/ambient.ts";
import type { ServerCall } from "../rpc/call.ts";
import { deadlineFrom, earliest, NO_DEADLINE } from "../rpc/deadline.ts";
import type { Metadata, MetadataInit } from "../rpc/metadata.ts";

export interface CallOptions {
  /** From now. With `deadline` too, the earlier one holds. */
  readonly timeoutMs?: number;
  /** A Date, or milliseconds since 1970; made monotonic when the call starts. */
  readonly deadline?: Date | number;
  /** Cancels the call when it fires. */
  readonly signal?: AbortSignal;
  /**
   * Sent with the request. With more than the server takes (SETTINGS_MAX_HEADER_LIST_SIZE; `http2.maxSentHeaderListBytes`
   * where it names no limit) the call ends with RESOURCE_EXHAUSTED and nothing is sent.
   */
  readonly metadata?: MetadataInit;
  /**
   * How the request's messages are sent. Default: the channel's `compression.send`. A server that does not know the encoding
   * answers UNIMPLEMENTED.
   */
  readonly compression?: CompressionName;
  /** Response headers, when they arrive. */
  readonly onHeaders?: (headers: Metadata) => void;
  /** Trailers, when the call ends with a status of the server's. */
  readonly onTrailers?: (trailers: Metadata) => void;
  /** Wait for a connection instead of failing with UNAVAILABLE while there is none. Default false. */
  readonly waitForReady?: boolean;
  /**
   * Whether a server that gets this call twice does it once: what a channel's `retry` may send again after the server may
   * have acted on it. Default: what `idempotency_level` of the proto says.
   */
  readonly idempotent?: boolean;
  /**
   * The server call this one works for: it inherits what is left of its deadline, and its cancellation. Default: the call
   * whose handler makes it, while that call goes on; work that a handler leaves behind, an interval for one, inherits
   * nothing once the call has ended and the handler has returned. A call that is named here holds also after its end.
   * `null`: none.
   */
  readonly parent?: ServerCall | null;
}

export function parentOf(options: CallOptions): ServerCall | undefined {
  return options.parent === undefined ? ambientCall() : (options.parent ?? undefined);
}

/** `undefined` is identity. Throws TypeError for an encoding that this Node does not have. */
export function callEncoding(options: CallOptions, { send }: ResolvedCompression): MessageEncoding | undefined {
  const name = options.compression ?? send;
  return name === undefined ? undefined : requireEncoding("compression", name);
}

/** On the scale of `performance.now()`. Throws RangeError for an illegal timeout or deadline. */
export function callDeadline(options: CallOptions, parent: ServerCall | undefined, nowMs: number): number {
  const none = options.timeoutMs === undefined && options.deadline === undefined;
  const own = none ? NO_DEADLINE : deadlineFrom(options, nowMs, Date.now());
  return parent === undefined ? own : earliest(own, nowMs + parent.remainingMs);
}
