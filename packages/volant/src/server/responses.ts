/**
 * Header blocks that a server sends: constant bytes for what every answer has, field lists for the rest. Owns the fields
 * of response headers, trailers and Trailers-Only. gRPC PROTOCOL-HTTP2 "Responses".
 *
 * The constant blocks buy: no HPACK and no allocation for an answer without metadata.
 */
import { GRPC_CONTENT_TYPE } from "../grpc/content-type.ts";
import { type Field, HeaderName } from "../grpc/header-names.ts";
import { appendMetadataFields } from "../grpc/metadata-codec.ts";
import { appendStatusFields } from "../grpc/trailers.ts";
import { encodeStatusDetails, sendableDetails } from "../rpc/error-details.ts";
import type { Metadata } from "../rpc/metadata.ts";
import type { Status } from "../rpc/status.ts";
import { encodeStaticBlock, Indexing, type OutboundField } from "../transport/http2.ts";

const OK_STATUS_FIELD: OutboundField = { name: ":status", value: "200", indexing: Indexing.WITHOUT };
const CONTENT_TYPE_FIELD: OutboundField = {
  name: HeaderName.CONTENT_TYPE,
  value: GRPC_CONTENT_TYPE,
  indexing: Indexing.INCREMENTAL,
};

export const RESPONSE_HEADERS: Buffer = encodeStaticBlock([
  OK_STATUS_FIELD,
  { ...CONTENT_TYPE_FIELD, indexing: Indexing.WITHOUT },
]);
export const OK_TRAILERS: Buffer = encodeStaticBlock([
  { name: HeaderName.STATUS, value: "0", indexing: Indexing.WITHOUT },
]);

/** What the application's metadata may not index: it changes with every call. */
function toOutbound(fields: readonly Field[]): OutboundField[] {
  return fields.map(({ name, value }) => ({ name, value, indexing: Indexing.WITHOUT }));
}

/** What response headers say about compression. */
export interface ResponseEncoding {
  /** `grpc-encoding`: of the messages that follow. */
  readonly encoding: string | undefined;
  /**
   * `grpc-accept-encoding`. gRPC compression.md: a server that took a compressed message must name its encoding there;
   * others learn it when they are refused.
   */
  readonly acceptEncoding: string | undefined;
}

function encodingFields({ encoding, acceptEncoding }: ResponseEncoding): OutboundField[] {
  const fields: OutboundField[] = [];
  if (encoding !== undefined) {
    fields.push({ name: HeaderName.ENCODING, value: encoding, indexing: Indexing.INCREMENTAL });
  }
  if (acceptEncoding !== undefined) {
    fields.push({ name: HeaderName.ACCEPT_ENCODING, value: acceptEncoding, indexing: Indexing.INCREMENTAL });
  }
  return fields;
}

/** Bounded by the encodings, and by the lists that the process's options have. */
const encodedHeaders = new Map<string, Buffer>();

/** The constant block of an answer without metadata. */
export function constantHeaders(about: ResponseEncoding): Buffer {
  if (about.encoding === undefined && about.acceptEncoding === undefined) return RESPONSE_HEADERS;
  const key = `${about.encoding ?? ""} ${about.acceptEncoding ?? ""}`;
  let block = encodedHeaders.get(key);
  if (block === undefined) {
    const fields = [OK_STATUS_FIELD, CONTENT_TYPE_FIELD, ...encodingFields(about)];
    block = encodeStaticBlock(fields.map((field) => ({ ...field, indexing: Indexing.WITHOUT })));
    encodedHeaders.set(key, block);
  }
  return block;
}

export function responseHeaders(metadata: Metadata, about: ResponseEncoding): OutboundField[] {
  const fields: Field[] = [];
  appendMetadataFields(metadata, fields);
  return [OK_STATUS_FIELD, CONTENT_TYPE_FIELD, ...encodingFields(about), ...toOutbound(fields)];
}

export function trailerFields(status: Status, trailers: Metadata | undefined): OutboundField[] {
  const fields: Field[] = [];
  const { code, message } = status;
  const details = status.details.length > 0 ? sendableDetails(status.details) : status.details;
  const encoded = details.length > 0 ? encodeStatusDetails(code, message, details) : undefined;
  appendStatusFields(fields, code, message, encoded);
  if (trailers !== undefined) appendMetadataFields(trailers, fields);
  appendMetadataFields(status.metadata, fields);
  return toOutbound(fields);
}

/** An answer of one header block. `httpStatus` differs from 200 only where the request was no gRPC. */
export function trailersOnly(status: Status, trailers: Metadata | undefined, httpStatus = 200): OutboundField[] {
  const first = httpStatus === 200 ? OK_STATUS_FIELD : { ...OK_STATUS_FIELD, value: String(httpStatus) };
  return [first, CONTENT_TYPE_FIELD, ...trailerFields(status, trailers)];
}
