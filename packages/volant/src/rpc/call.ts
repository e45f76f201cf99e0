/**
 * A call as handlers and interceptors see it. Owns the public shapes; `server/` and `client/` carry them out.
 */

import type { CompressionName } from "../grpc/message-encoding.ts";
import type { CallValues } from "./call-values.ts";
import type { Metadata } from "./metadata.ts";
import type { MethodInfo } from "./method.ts";
import type { Peer } from "./peer.ts";
import type { Status } from "./status.ts";

/** How a call ended: what `onEnd` listeners get, once. */
export interface CallEnd {
  readonly status: Status;
  /** From the headers to the status. */
  readonly durationMs: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Who ended it before its time: the peer, the deadline, a drain, or the connection's loss. */
  readonly cancelledBy: "peer" | "deadline" | "connection" | "server" | undefined;
}

export interface ServerCall {
  readonly method: MethodInfo;
  /** What the client sent with the request. */
  readonly metadata: Metadata;
  /** Sent before the first message. Changing them once they are sent throws; reading them never does. */
  readonly headers: Metadata;
  /** Sent with the status. Left out, and reported to `onError`, where they are larger than the client takes. */
  readonly trailers: Metadata;
  /**
   * Fires when the call ends before its handler did: reset, deadline, lost connection, a refusal, a failure. Its reason is
   * an AbortError, of a deadline too.
   */
  readonly signal: AbortSignal;
  /** On the wall clock of this machine, for people and for APIs that take a Date. Undefined where the client set none. */
  readonly deadline: Date | undefined;
  /** What is left until the deadline, by the monotonic clock: 0 once it has passed, Infinity without one. */
  readonly remainingMs: number;
  readonly peer: Peer;
  readonly values: CallValues;
  /**
   * How the messages of this call are sent: `call.compression = "gzip"`. At first what the server's `compression.send` says.
   * Takes effect where the client accepts it; messages go as they are otherwise. Throws TypeError once the headers are sent,
   * and for an encoding that this Node does not have.
   */
  compression: CompressionName;
  /**
   * Sends the headers now instead of with the first message. A second call does nothing. Throws RESOURCE_EXHAUSTED where they
   * are larger than the client takes, and can be called again once there are less; headers that go with the first message
   * end the call so.
   */
  sendHeaders(): void;
  /**
   * Ends the call now, from outside its handler: `signal` fires, a running generator is told to return, and the client
   * gets what throwing `error` in the handler would give it. Where data that the client does not take stands in the way,
   * the stream is reset instead: RESOURCE_EXHAUSTED arrives as such, any other code as CANCELLED. Nothing once it has ended.
   */
  cancel(error: unknown): void;
  /**
   * Calls `listener` once, when the status is decided; innermost first. At once where that has happened already, so that
   * what was begun after a wait is ended too. One that throws, or rejects, is reported to `onError`.
   */
  onEnd(listener: (end: CallEnd) => void): void;
}
