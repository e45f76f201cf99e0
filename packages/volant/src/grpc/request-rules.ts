/**
 * What is checked on the headers of a request before its path is looked up.
 *
 * Must not know: methods and handlers, and how a refusal is sent.
 * Invariant: pure; a refusal carries both an HTTP status, for clients that do not speak gRPC, and a gRPC status.
 * Spec: gRPC PROTOCOL-HTTP2 "Requests"; RFC 9113 §8.2.2.
 */

import { isGrpcContentType, isProtoContentType } from "./content-type.ts";
import { quote } from "./printable.ts";
import { StatusCode } from "./status-code.ts";
import { MALFORMED_TIMEOUT, parseTimeout } from "./timeout.ts";

/** The request is answered with this, as Trailers-Only, and reaches no method. */
export interface RequestRefusal {
  readonly httpStatus: number;
  readonly grpcStatus: StatusCode;
  readonly message: string;
}

/** `undefined` when the request may go on. */
export function checkRequest(
  method: string | undefined,
  contentType: string | undefined,
  te: string | undefined,
): RequestRefusal | undefined {
  if (method !== "POST") return refuse(405, `:method is ${given(method)}; a gRPC call is a POST`);
  if (!isProtoContentType(contentType)) {
    // gRPC of another codec: its messages must not be read as protobuf, which would take many of them for empty ones.
    if (isGrpcContentType(contentType)) {
      const message = `content-type is ${given(contentType)}; the only codec here is application/grpc+proto`;
      return refuse(200, message, StatusCode.UNIMPLEMENTED);
    }
    return refuse(
      415,
      `content-type is ${given(contentType)}; a gRPC call has application/grpc, with or without +codec`,
    );
  }
  // Clients must send `te: trailers`, so that proxies that drop trailers are noticed; some do not, and work.
  if (te !== undefined && te !== "trailers" && te.toLowerCase() !== "trailers") {
    return refuse(400, `te is ${quote(te)}; over HTTP/2 only "trailers" is legal`);
  }
  return undefined;
}

/** `undefined` when `grpc-timeout` is missing, or well-formed and leaves any time. */
export function checkTimeout(timeout: string | undefined): RequestRefusal | undefined {
  if (timeout === undefined) return undefined;
  const ms = parseTimeout(timeout);
  if (ms === MALFORMED_TIMEOUT) {
    return refuse(400, `grpc-timeout is ${quote(timeout)}; it is 1 to 8 digits and one of H M S m u n`);
  }
  // Legal, and over before it began: a handler that answers at once must not win.
  if (ms === 0) return refuse(200, "the deadline passed before the call arrived", StatusCode.DEADLINE_EXCEEDED);
  return undefined;
}

function refuse(httpStatus: number, message: string, grpcStatus: StatusCode = StatusCode.INTERNAL): RequestRefusal {
  return { httpStatus, grpcStatus, message };
}

function given(value: string | undefined): string {
  return value === undefined ? "missing" : quote(value);
}
