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
import type { MethodInfo } from "../rpc/method.ts";
import { checkValue, describeGiven, isOptionsObject, type OptionTable, unknownName } from "../rpc/option-names.ts";

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

/** What calls without options share: such a call makes and checks nothing. */
export const NO_OPTIONS: CallOptions = Object.freeze({});

const CALL_OPTIONS = {
  timeoutMs: true,
  deadline: true,
  signal: true,
  metadata: true,
  compression: "string",
  onHeaders: "function",
  onTrailers: "function",
  waitForReady: "boolean",
  idempotent: "boolean",
  parent: true,
} as const satisfies OptionTable<CallOptions>;

/** The same without a prototype, so that a plain look-up finds names of the table only. */
const RULES: Readonly<Record<string, (typeof CALL_OPTIONS)[keyof CallOptions] | undefined>> = Object.assign(
  Object.create(null),
  CALL_OPTIONS,
);

/**
 * Throws TypeError for what are no options of a call. For each call that has some, so it makes nothing where they are legal;
 * values that have a check of their own where they are used are left to it.
 */
export function checkCallOptions(options: CallOptions, { path }: MethodInfo): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null || !isPlain(given)) refuseOther(given, path);
  for (const name in options) {
    const rule = RULES[name];
    if (rule === true) continue;
    const value = options[name as keyof CallOptions];
    if (rule === undefined) throw new TypeError(`options of ${path}: ${unknownName(name, "option", CALL_OPTIONS)}`);
    if (value !== undefined && typeof value !== rule) checkValue(`options of ${path}`, name, value, rule);
  }
}

function isPlain(given: object): boolean {
  return Object.getPrototypeOf(given) === Object.prototype || isOptionsObject(given);
}

/** Callbacks, metadata and timeouts are what other libraries take in this place. */
function refuseOther(given: unknown, path: string): never {
  const names = Object.keys(CALL_OPTIONS).join(", ");
  // A text in this place may be a token.
  const what = typeof given === "string" ? "a string" : describeGiven(given);
  throw new TypeError(
    `options of ${path}: ${what} given${adviceFor(given)}; an object with options is allowed: { ${names} }`,
  );
}

function adviceFor(given: unknown): string {
  if (typeof given === "number") return `; for a timeout give { timeoutMs: ${given} }`;
  if (typeof given === "function") return "; there are no callbacks, the call returns its answer";
  if (typeof given === "object" && given !== null && "aborted" in given) return "; give { signal }";
  return typeof given === "object" && given !== null && Symbol.iterator in given ? "; give { metadata }" : "";
}

export function parentOf(options: CallOptions): ServerCall | undefined {
  const { parent } = options;
  if (parent === undefined) return ambientCall();
  if (parent === null) return undefined;
  if (typeof parent.remainingMs === "number" && typeof parent.signal === "object") return parent;
  throw new TypeError(`parent: ${describeGiven(parent)} given; the call that a handler was given, or null, is allowed`);
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
