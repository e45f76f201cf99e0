/**
 * The sending half of a call on the server: messages as `stream/outbound.ts` sends them, and around them the headers and the
 * status, with what the handler added to them. Owns which blocks an answer consists of; decides nothing about when it ends.
 *
 * An answer without metadata of its own is constant bytes on both sides of the message.
 */
import { StatusCode } from "../grpc/status-code.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Status } from "../rpc/status.ts";
import { Outbound } from "../stream/outbound.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { OK_TRAILERS, RESPONSE_HEADERS, responseHeaders, trailerFields, trailersOnly } from "./responses.ts";

export const OK: Status = Object.freeze({ code: StatusCode.OK, message: "", details: [], metadata: new Metadata() });

/** What the handler added, each set once it was touched. */
export interface ResponseMetadata {
  readonly ownHeaders: Metadata | undefined;
  readonly ownTrailers: Metadata | undefined;
}

export class Response extends Outbound {
  constructor(http2: Http2Connection, stream: Http2Stream, codec: MessageCodec<unknown, unknown>) {
    super(http2, stream, codec, RESPONSE_HEADERS);
  }

  get headersSent(): boolean {
    return this.headers === undefined;
  }

  /** Does nothing where they are sent already. */
  sendHeaders(own: ResponseMetadata): void {
    this.sendOwnHeaders(own);
    this.sendHeadersIfDue();
  }

  /** One message of several. */
  sendMessage(message: unknown, own: ResponseMetadata): void {
    this.sendOwnHeaders(own);
    this.send(message);
  }

  /** The only message, and OK behind it. */
  sendOnly(message: unknown, own: ResponseMetadata): void {
    this.sendOwnHeaders(own);
    if (own.ownTrailers === undefined) {
      this.send(message, OK_TRAILERS);
      return;
    }
    this.send(message);
    this.http2.sendTrailers(this.stream, trailerFields(OK, own.ownTrailers));
  }

  /** The end, behind data where some is queued: trailers, or one block where nothing was sent before. */
  sendStatus(status: Status, own: ResponseMetadata): void {
    if (status.code === StatusCode.OK) this.sendHeaders(own);
    const block = this.headersSent
      ? trailerFields(status, own.ownTrailers)
      : trailersOnly(status, mergeMetadata(own.ownHeaders, own.ownTrailers));
    this.http2.sendTrailers(this.stream, block);
  }

  /** Headers with metadata of the handler's own cannot be the constant block. */
  private sendOwnHeaders({ ownHeaders }: ResponseMetadata): void {
    if (ownHeaders === undefined || this.headersSent) return;
    const block = responseHeaders(ownHeaders);
    this.headers = undefined;
    this.http2.sendHeaders(this.stream, block, false);
  }
}

function mergeMetadata(headers: Metadata | undefined, trailers: Metadata | undefined): Metadata | undefined {
  if (headers === undefined || headers.size === 0) return trailers;
  return trailers === undefined ? headers : headers.clone().merge(trailers);
}
