/**
 * The header list of a request. Owns which fields every call has, and how each may be indexed: what repeats is inserted
 * into the dynamic table once, what varies never is, credentials never may be. gRPC PROTOCOL-HTTP2 "Requests".
 */
import { GRPC_CONTENT_TYPE } from "../grpc/content-type.ts";
import { type Field, HeaderName } from "../grpc/header-names.ts";
import { appendMetadataFields } from "../grpc/metadata-codec.ts";
import { formatTimeout } from "../grpc/timeout.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import type { Metadata } from "../rpc/metadata.ts";
import { Indexing, type OutboundField } from "../transport/http2.ts";

/** Never indexed, here or by anyone on the way: RFC 7541 §7.1.3. */
const SECRET_NAMES: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

/** The fields that do not change between calls of a method: made once per method and channel, and frozen (see `hpack/encoder.ts`). */
export function constantFields(
  path: string,
  authority: string,
  userAgent: string,
  acceptEncoding: string,
  scheme: "http" | "https" = "http",
): readonly OutboundField[] {
  const fields: [string, string][] = [
    [":method", "POST"],
    [":scheme", scheme],
    [":path", path],
    [":authority", authority],
    [HeaderName.TE, "trailers"],
    [HeaderName.CONTENT_TYPE, GRPC_CONTENT_TYPE],
    [HeaderName.USER_AGENT, userAgent],
    [HeaderName.ACCEPT_ENCODING, acceptEncoding],
  ];
  return Object.freeze(fields.map(([name, value]) => Object.freeze({ name, value, indexing: Indexing.INCREMENTAL })));
}

export function requestFields(
  constant: readonly OutboundField[],
  remainingMs: number,
  metadata: Metadata | undefined,
  encoding?: string,
): readonly OutboundField[] {
  if (remainingMs === NO_DEADLINE && metadata === undefined && encoding === undefined) return constant;
  const fields = constant.slice();
  if (encoding !== undefined) {
    fields.push({ name: HeaderName.ENCODING, value: encoding, indexing: Indexing.INCREMENTAL });
  }
  if (remainingMs !== NO_DEADLINE) {
    fields.push({ name: HeaderName.TIMEOUT, value: formatTimeout(remainingMs), indexing: Indexing.WITHOUT });
  }
  if (metadata !== undefined) appendMetadata(fields, metadata);
  return fields;
}

function appendMetadata(fields: OutboundField[], metadata: Metadata): void {
  const encoded: Field[] = [];
  appendMetadataFields(metadata, encoded);
  for (const { name, value } of encoded) {
    fields.push({ name, value, indexing: SECRET_NAMES.has(name) ? Indexing.NEVER : Indexing.WITHOUT });
  }
}
