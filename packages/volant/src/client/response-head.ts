/**
 * Response headers and trailers as a client reads them. Owns the step from a header list to a status. gRPC PROTOCOL-HTTP2
 * "Responses", http-grpc-status-mapping.
 */

import { isGrpcContentType } from "../grpc/content-type.ts";
import { singleValue } from "../grpc/header-names.ts";
import { statusWithoutTrailers } from "../grpc/http-status.ts";
import { findMetadataFault } from "../grpc/metadata-codec.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { readStatus } from "../grpc/trailers.ts";
import { decodeStatusDetails } from "../rpc/error-details.ts";
import { Metadata } from "../rpc/metadata.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import type { Status } from "../rpc/status.ts";
import { type HeaderField, HeaderToken } from "../transport/http2.ts";

export interface ResponseHead {
  readonly httpStatus: number;
  readonly contentType: string | undefined;
  /** `grpc-encoding`; missing means identity. */
  readonly encoding: string | undefined;
}

export function readResponseHead(fields: readonly HeaderField[]): ResponseHead {
  let httpStatus = 0;
  let contentType: string | undefined;
  let encoding: string | undefined;
  for (const field of fields) {
    if (field.token === HeaderToken.STATUS) httpStatus = Number(field.value);
    else if (field.token === HeaderToken.CONTENT_TYPE) contentType = singleValue(contentType, field.value);
    else if (field.token === HeaderToken.GRPC_ENCODING) encoding = singleValue(encoding, field.value);
  }
  return { httpStatus, contentType, encoding };
}

/** A response that is gRPC. gRPC http-grpc-status-mapping: its `grpc-status` is then what counts, not its `:status`. */
export function isGrpcResponse(head: ResponseHead): boolean {
  return isGrpcContentType(head.contentType);
}

/** The status of most calls. Shared, so it may be given to nobody who could change its metadata. */
export const PLAIN_OK: Status = Object.freeze({
  code: StatusCode.OK,
  message: "",
  details: Object.freeze([]),
  metadata: new Metadata(),
});

/** The trailers of most calls: OK and nothing else. */
export function isPlainOk(fields: readonly HeaderField[]): boolean {
  const only = fields[0];
  return fields.length === 1 && only!.token === HeaderToken.GRPC_STATUS && only!.value === "0";
}

/** The status of a call whose stream ended with these fields: trailers, or the only header block. */
export function statusOf(fields: readonly HeaderField[], head: ResponseHead): Status {
  const wire = readStatus(fields);
  if (wire === undefined) return statusWithout(head);
  const fault = findMetadataFault(fields);
  if (fault !== undefined) return createRpcError("client", StatusCode.INTERNAL, fault);
  const metadata = Metadata.fromWire(fields);
  if (wire.code === StatusCode.OK) return { code: wire.code, message: wire.message, details: [], metadata };
  const details = wire.details === undefined ? undefined : decodeStatusDetails(wire.details)?.details;
  return createRpcError("client", wire.code, wire.message, { details, metadata });
}

/** The stream ended without `grpc-status`. */
export function statusWithout(head: ResponseHead): Status {
  const { code, message } = statusWithoutTrailers(head.httpStatus, head.contentType);
  return createRpcError("client", code, message);
}
