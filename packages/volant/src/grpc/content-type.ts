/**
 * Which content types are gRPC.
 *
 * Must not know: what the codec named behind the `+` does.
 * Invariant: `application/grpc-web` and other neighbours are not gRPC.
 * Spec: gRPC PROTOCOL-HTTP2 "Content-Type"; RFC 9110 §8.3.1 (types are case-insensitive).
 */

export const GRPC_CONTENT_TYPE = "application/grpc";

const PROTO_CONTENT_TYPE = "application/grpc+proto";

/** `application/grpc`, alone or followed by `+codec` or `;parameters`. */
export function isGrpcContentType(value: string | undefined): boolean {
  return value === GRPC_CONTENT_TYPE || value === PROTO_CONTENT_TYPE || contentSubtype(value) !== undefined;
}

/** Messages are protobuf: no codec is named, or that one. Otherwise they are of a codec that is not here, or not gRPC. */
export function isProtoContentType(value: string | undefined): boolean {
  if (value === GRPC_CONTENT_TYPE || value === PROTO_CONTENT_TYPE) return true;
  const codec = contentSubtype(value);
  return codec === "" || codec === "proto";
}

/** The codec in lower case (`"json"` of `application/grpc+json`), `""` when none is named, `undefined` when not gRPC. */
export function contentSubtype(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(";");
  const type = (semicolon === -1 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  if (type === GRPC_CONTENT_TYPE) return "";
  return type.startsWith(`${GRPC_CONTENT_TYPE}+`) ? type.slice(GRPC_CONTENT_TYPE.length + 1) : undefined;
}
