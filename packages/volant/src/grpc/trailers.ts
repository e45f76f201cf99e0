/**
 * The status in trailers: `grpc-status`, `grpc-message` and `grpc-status-details-bin`.
 *
 * Must not know: what the details contain, and the custom metadata beside the status.
 * Invariants: a status is always written, OK too; reading accepts everything and never fails. `grpc-status` decides: details
 * that cannot be read do not change the code.
 * Spec: gRPC PROTOCOL-HTTP2 "Responses", "Status"; google/rpc/status.proto for the details.
 */

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { type Field, HeaderName } from "./header-names.ts";
import { decodeStatusMessage, encodeStatusMessage } from "./percent.ts";
import { parseStatusCode, type StatusCode } from "./status-code.ts";

export interface WireStatus {
  readonly code: StatusCode;
  readonly message: string;
  /** The bytes of a google.rpc.Status, when there are any. */
  readonly details: Uint8Array | undefined;
}

/** Appends the fields of a status. `details` are the bytes of a google.rpc.Status. */
export function appendStatusFields(fields: Field[], code: StatusCode, message: string, details?: Uint8Array): void {
  fields.push({ name: HeaderName.STATUS, value: String(code) });
  if (message !== "") fields.push({ name: HeaderName.MESSAGE, value: encodeStatusMessage(message) });
  if (details !== undefined && details.byteLength > 0) {
    fields.push({ name: HeaderName.STATUS_DETAILS, value: encodeBase64(details) });
  }
}

/**
 * The status in a block that ended the stream, `undefined` when it has none (then see `http-status.ts`). Headers that did
 * not end the stream carry no status, whatever they contain: do not ask.
 */
export function readStatus(fields: Iterable<Field>): WireStatus | undefined {
  let status: string | undefined;
  let message: string | undefined;
  let details: string | undefined;
  for (const { name, value } of fields) {
    if (name === HeaderName.STATUS) status ??= value;
    else if (name === HeaderName.MESSAGE) message ??= value;
    else if (name === HeaderName.STATUS_DETAILS) details ??= value;
  }
  if (status === undefined) return undefined;
  return {
    code: parseStatusCode(status),
    message: message === undefined ? "" : decodeStatusMessage(message),
    details: details === undefined ? undefined : decodeBase64(details),
  };
}
