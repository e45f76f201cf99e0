/**
 * The gRPC status of a response that carries none: made from its HTTP status, or from there being no trailers.
 *
 * Must not know: how responses are read.
 * Invariant: used only where `grpc-status` is missing; a `grpc-status` always beats this.
 * Spec: gRPC http-grpc-status-mapping.
 */

import { isGrpcContentType } from "./content-type.ts";
import { quote } from "./printable.ts";
import { StatusCode } from "./status-code.ts";

/** A status in the making: the code and the text that explains it. */
export interface StatusVerdict {
  readonly code: StatusCode;
  readonly message: string;
}

/** An answer of something that does not speak gRPC: a proxy, a load balancer, another kind of server. */
export function statusFromHttp(httpStatus: number): StatusCode {
  switch (httpStatus) {
    case 400:
      return StatusCode.INTERNAL;
    case 401:
      return StatusCode.UNAUTHENTICATED;
    case 403:
      return StatusCode.PERMISSION_DENIED;
    case 404:
      return StatusCode.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode.UNAVAILABLE;
    default:
      return StatusCode.UNKNOWN;
  }
}

/** The status of a response that ended without `grpc-status`. For a gRPC content type `:status` says nothing. */
export function statusWithoutTrailers(httpStatus: number, contentType: string | undefined): StatusVerdict {
  if (isGrpcContentType(contentType)) {
    return { code: StatusCode.UNKNOWN, message: "the server ended the call without grpc-status" };
  }
  const type = contentType === undefined ? "without content-type" : `with content-type ${quote(contentType)}`;
  return {
    code: statusFromHttp(httpStatus),
    message: `the answer is HTTP ${httpStatus} ${type}, not gRPC; check that the address is that of a gRPC server`,
  };
}
