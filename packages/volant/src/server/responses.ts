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

/** What every answer begins with. */
export const ANSWER_HEAD: readonly OutboundField[] = [OK_STATUS_FIELD, CONTENT_TYPE_FIELD];

export const RESPONSE_HEADERS: Buffer = encodeStaticBlock([
  OK_STATUS_FIELD,
  { ...CONTENT_TYPE_FIELD, indexing: Indexing.WITHOUT },
]);
export const OK_TRAILERS: Buffer = encodeStaticBlock([
  { name: HeaderName.STATUS, value: "0", indexing: Indexing.WITHOUT },
]);

/**
 * Every block of constant bytes is smaller: a client that takes as much is never asked about. The encodings that there are
 * leave plenty of room.
 */
export const CONSTANT_BLOCK_BYTES = 512;

/** What the application's metadata may not index: it changes with every call. */
export function toOutbound(fields: readonly Field[]): OutboundField[] {
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
    const fields = responseHeaders(undefined, about);
    block = encodeStaticBlock(fields.map((field) => ({ ...field, indexing: Indexing.WITHOUT })));
    encodedHeaders.set(key, block);
  }
  return block;
}

export function responseHeaders(metadata: Metadata | undefined, about: ResponseEncoding): OutboundField[] {
  const fields: Field[] = [];
  if (metadata !== undefined) appendMetadataFields(metadata, fields);
  return [...ANSWER_HEAD, ...encodingFields(about), ...toOutbound(fields)];
}

/** What a call ends with. */
export interface EndOfCall {
  readonly status: Status;
  /** What stands in front of the status where the answer is one block; undefined behind response headers. */
  readonly head: readonly OutboundField[] | undefined;
  /** Response headers that were never sent; they go with the trailers of an only block. */
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

/** All of it, whatever its size: trailers, or Trailers-Only where there is a head. */
export function endBlock({ status, head = [], headers, trailers }: EndOfCall): OutboundField[] {
  const fields: Field[] = [];
  appendStatusFields(fields, status.code, status.message, detailsToSend(status));
  if (headers !== undefined) appendMetadataFields(headers, fields);
  if (trailers !== undefined) appendMetadataFields(trailers, fields);
  appendMetadataFields(status.metadata, fields);
  return [...head, ...toOutbound(fields)];
}

/** The bytes of a google.rpc.Status, where there is more to it than code and message. */
export function detailsToSend({ code, message, details }: Status): Uint8Array | undefined {
  const sent = details.length > 0 ? sendableDetails(details) : details;
  return sent.length > 0 ? encodeStatusDetails(code, message, sent) : undefined;
}

/** The head of a refusal. `httpStatus` differs from 200 only where the request was no gRPC. */
export function refusalHead(httpStatus: number, acceptEncoding: string | undefined): OutboundField[] {
  const first = httpStatus === 200 ? OK_STATUS_FIELD : { ...OK_STATUS_FIELD, value: String(httpStatus) };
  return [first, CONTENT_TYPE_FIELD, ...encodingFields({ encoding: undefined, acceptEncoding })];
}
