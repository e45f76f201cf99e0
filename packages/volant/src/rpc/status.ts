/**
 * How a call ended, as both sides speak of it.
 *
 * Must not know: header fields and frames.
 * Invariant: every call ends with exactly one `Status`, OK included.
 * Spec: gRPC statuscodes; google.rpc.Status.
 */

import type { StatusCode } from "../grpc/status-code.ts";
import type { ErrorDetail } from "./error-details.ts";
import type { Metadata } from "./metadata.ts";

export { isStatusCode, StatusCode, type StatusName, statusName } from "../grpc/status-code.ts";

export interface Status {
  readonly code: StatusCode;
  /** For people; empty when there is nothing to say. */
  readonly message: string;
  readonly details: readonly ErrorDetail[];
  /** The trailers. */
  readonly metadata: Metadata;
}
