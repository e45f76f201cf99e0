/**
 * What a peer did wrong. Owns the shape of a fault: whom it ends (scope), with which HTTP/2 code, who found it, and its
 * cause, a short constant that is the counter's label and the GOAWAY debug data. RFC 9113 §5.4.
 *
 * Invariant: faults of the core are constants made once at load, so a flood of bad frames allocates nothing here.
 */
import type { ErrorCode } from "./error-code.ts";

export type FaultScope = "connection" | "stream";

/** Who ended it: our user, this library, or the peer. */
export type Initiator = "user" | "library" | "remote";

export interface Fault {
  readonly scope: FaultScope;
  readonly code: ErrorCode;
  readonly initiator: Initiator;
  /** kebab-case, one per rule: "data-on-stream-0". */
  readonly cause: string;
}

/** RFC 9113 §5.4.1: the connection ends with GOAWAY. */
export function connectionFault(code: ErrorCode, cause: string, initiator: Initiator = "library"): Fault {
  return { scope: "connection", code, initiator, cause };
}

/** RFC 9113 §5.4.2: the stream ends with RST_STREAM. */
export function streamFault(code: ErrorCode, cause: string): Fault {
  return { scope: "stream", code, initiator: "library", cause };
}
