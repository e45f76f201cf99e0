/**
 * The status in trailers: `grpc-status`, `grpc-message` and `grpc-status-details-bin`.
 *
 * Must not know: what the details contain, and the custom metadata beside the status.
 * Invariants: a status is always written, OK too; reading accepts everything and never fails. `grpc-status` decides: details
 * that cannot be read do not change the code. One that is there twice must agree with itself; of a repeated message, and of
 * repeated details, the first counts.
 * Spec: gRPC PROTOCOL-HTTP2 "Responses", "Status"; google/rpc/status.proto for the details.
 */

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { type Field, HeaderName, singleValue } from "./header-names.ts";
import { decodeStatusMessage, encodeStatusMessage } from "./percent.ts";
import { quote } from "./printable.ts";
import { parseStatusCode, StatusCode } from "./status-code.ts";

export interface WireStatus {
  readonly code: StatusCode;
  readonly message: string;
  /** The bytes of a google.rpc.Status, when there are any. */
  readonly details: Uint8Array | undefined;
}

const UNKNOWN_TEXT = String(StatusCode.UNKNOWN);

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
    if (name === HeaderName.STATUS) status = singleValue(status, value);
    else if (name === HeaderName.MESSAGE) message ??= value;
    else if (name === HeaderName.STATUS_DETAILS) details ??= value;
  }
  if (status === undefined) return undefined;
  const code = parseStatusCode(status);
  const text = message === undefined ? "" : decodeStatusMessage(message);
  return {
    code,
    message: code === StatusCode.UNKNOWN && status !== UNKNOWN_TEXT ? withFault(text, status) : text,
    details: details === undefined ? undefined : decodeBase64(details),
  };
}

function withFault(message: string, status: string): string {
  const fault = `grpc-status is ${quote(status)}; it is one number from 0 to 16`;
  return message === "" ? fault : `${message} (${fault})`;
}
