/**
 * The gRPC status of a stream that ended with RST_STREAM: one that a server reset, or that this side reset because its peer
 * broke a rule. A reset by a client is a cancellation whatever its code, and does not come here.
 *
 * Must not know: the deadline (a client turns CANCELLED into DEADLINE_EXCEEDED by its own clock).
 * Invariant: total; a reset is never OK, NO_ERROR included.
 * Spec: gRPC PROTOCOL-HTTP2 "Errors"; RFC 9113 §7 (unknown codes may be treated as INTERNAL_ERROR).
 */

import { ErrorCode } from "../http2/error-code.ts";
import { StatusCode } from "./status-code.ts";

/**
 * STREAM_CLOSED and HTTP_1_1_REQUIRED have no row in the specification; like an unknown code they say that the peers
 * disagree about the protocol, which is INTERNAL.
 */
export function statusFromErrorCode(code: number): StatusCode {
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return StatusCode.UNAVAILABLE;
    case ErrorCode.CANCEL:
      return StatusCode.CANCELLED;
    case ErrorCode.ENHANCE_YOUR_CALM:
      return StatusCode.RESOURCE_EXHAUSTED;
    case ErrorCode.INADEQUATE_SECURITY:
      return StatusCode.PERMISSION_DENIED;
    default:
      return StatusCode.INTERNAL;
  }
}
