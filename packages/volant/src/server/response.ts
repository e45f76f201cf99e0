/**
 * The sending half of a call on the server: messages as `stream/outbound.ts` sends them, and around them the headers and the
 * status, with what the handler added to them. Owns which blocks an answer consists of; decides nothing about when it ends.
 *
 * An answer without metadata of its own is constant bytes on both sides of the message.
 */
import { requireEncoding } from "../compression/encodings.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Status } from "../rpc/status.ts";
import type { PeerLimits } from "../stream/inbound-limits.ts";
import { Outbound } from "../stream/outbound.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import {
  constantHeaders,
  OK_TRAILERS,
  RESPONSE_HEADERS,
  responseHeaders,
  trailerFields,
  trailersOnly,
} from "./responses.ts";

export const OK: Status = Object.freeze({ code: StatusCode.OK, message: "", details: [], metadata: new Metadata() });

/** What the call wants of its answer: the metadata, each set once it was touched, and the compression. */
export interface ResponseWishes {
  readonly ownHeaders: Metadata | undefined;
  readonly ownTrailers: Metadata | undefined;
  /** The encoding that messages shall have; `undefined` is identity. */
  readonly wantedEncoding: string | undefined;
  /** Whether the client takes it. Asked once, when the headers are made. */
  isEncodingAccepted(name: string): boolean;
}

/** For an answer that must go out whatever the call's own wishes do. */
export const NO_WISHES: ResponseWishes = {
  ownHeaders: undefined,
  ownTrailers: undefined,
  wantedEncoding: undefined,
  isEncodingAccepted: () => false,
};

export class Response extends Outbound {
  private readonly limits: PeerLimits;
  private readonly acceptEncoding: string | undefined;

  /** `isRequestCompressed`: the headers tell the client what else is accepted. */
  constructor(
    http2: Http2Connection,
    stream: Http2Stream,
    codec: MessageCodec<unknown, unknown>,
    limits: PeerLimits,
    isRequestCompressed: boolean,
  ) {
    super(http2, stream, codec, RESPONSE_HEADERS);
    this.limits = limits;
    this.acceptEncoding = isRequestCompressed ? limits.compression.acceptEncoding : undefined;
  }

  get headersSent(): boolean {
    return this.headers === undefined;
  }

  /** Does nothing where they are sent already. */
  sendHeaders(wishes: ResponseWishes): void {
    this.prepareHeaders(wishes);
    this.sendHeadersIfDue();
  }

  /** One message of several. */
  sendMessage(message: unknown, wishes: ResponseWishes): void {
    this.prepareHeaders(wishes);
    this.send(message);
  }

  /** The only message, and OK behind it. */
  sendOnly(message: unknown, wishes: ResponseWishes): void {
    this.prepareHeaders(wishes);
    if (wishes.ownTrailers === undefined) {
      this.send(message, OK_TRAILERS);
      return;
    }
    this.send(message);
    this.sendTrailers(trailerFields(OK, wishes.ownTrailers));
  }

  /** The end, behind data where some is queued: trailers, or one block where nothing was sent before. */
  sendStatus(status: Status, wishes: ResponseWishes): void {
    if (status.code === StatusCode.OK) this.sendHeaders(wishes);
    const block = this.headersSent
      ? trailerFields(status, wishes.ownTrailers)
      : trailersOnly(status, mergeMetadata(wishes.ownHeaders, wishes.ownTrailers));
    this.sendTrailers(block);
  }

  /** Where the constant block is not the right one. */
  private prepareHeaders(wishes: ResponseWishes): void {
    if (this.headers === undefined) return;
    const { ownHeaders, wantedEncoding } = wishes;
    if (ownHeaders === undefined && wantedEncoding === undefined && this.acceptEncoding === undefined) return;
    const encoding = this.startCompression(wishes);
    const about = { encoding, acceptEncoding: this.acceptEncoding };
    if (ownHeaders === undefined) {
      this.headers = constantHeaders(about);
      return;
    }
    const block = responseHeaders(ownHeaders, about);
    this.headers = undefined;
    this.http2.sendHeaders(this.stream, block, false);
  }

  /** gRPC compression.md: towards a client that does not accept the encoding, messages go as they are. */
  private startCompression(wishes: ResponseWishes): string | undefined {
    const { wantedEncoding } = wishes;
    if (wantedEncoding === undefined || !wishes.isEncodingAccepted(wantedEncoding)) return undefined;
    const encoding = requireEncoding("compression", wantedEncoding);
    const { compression, threadLine } = this.limits;
    if (encoding !== undefined) this.compressWith(encoding, compression, threadLine);
    return encoding?.name;
  }
}

function mergeMetadata(headers: Metadata | undefined, trailers: Metadata | undefined): Metadata | undefined {
  if (headers === undefined || headers.size === 0) return trailers;
  return trailers === undefined ? headers : headers.clone().merge(trailers);
}
