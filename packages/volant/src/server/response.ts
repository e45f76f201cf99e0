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
import { createRpcError } from "../rpc/rpc-error.ts";
import type { Status } from "../rpc/status.ts";
import type { PeerLimits } from "../stream/inbound-limits.ts";
import { Outbound } from "../stream/outbound.ts";
import type { UnsentShare } from "../stream/unsent-share.ts";
import {
  ErrorCode,
  type Http2Connection,
  type Http2Stream,
  listBytes,
  type OutboundField,
} from "../transport/http2.ts";
import { fitStatus, type StatusLoss } from "./fitted-status.ts";
import {
  ANSWER_HEAD,
  CONSTANT_BLOCK_BYTES,
  constantHeaders,
  OK_TRAILERS,
  RESPONSE_HEADERS,
  type ResponseEncoding,
  responseHeaders,
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
    unsent: UnsentShare,
  ) {
    super(http2, stream, codec, RESPONSE_HEADERS, unsent);
    this.limits = limits;
    this.acceptEncoding = isRequestCompressed ? limits.compression.acceptEncoding : undefined;
  }

  get headersSent(): boolean {
    return this.headers === undefined;
  }

  /** Does nothing where they are sent already. Throws RESOURCE_EXHAUSTED where they are larger than the client takes. */
  sendHeaders(wishes: ResponseWishes): void {
    this.prepareHeaders(wishes);
    this.sendHeadersIfDue();
  }

  /** One message of several. */
  sendMessage(message: unknown, wishes: ResponseWishes): void {
    this.prepareHeaders(wishes);
    this.send(message);
  }

  /** The only message, and OK behind it. The result is what of the trailers had no room. */
  sendOnly(message: unknown, wishes: ResponseWishes): StatusLoss | undefined {
    this.prepareHeaders(wishes);
    if (wishes.ownTrailers === undefined) {
      this.send(message, OK_TRAILERS);
      return undefined;
    }
    this.send(message);
    return this.sendEnd(OK, wishes);
  }

  /**
   * The end, behind data where some is queued: trailers, or one block where nothing was sent before. The result is what of it
   * had no room in a header list that the client takes.
   */
  sendStatus(status: Status, wishes: ResponseWishes): StatusLoss | undefined {
    if (status.code === StatusCode.OK) this.sendHeaders(wishes);
    return this.sendEnd(status, wishes);
  }

  private sendEnd(status: Status, { ownHeaders, ownTrailers: trailers }: ResponseWishes): StatusLoss | undefined {
    const end = this.headersSent
      ? { status, head: undefined, headers: undefined, trailers }
      : { status, head: ANSWER_HEAD, headers: ownHeaders, trailers };
    const { isHeadFirst, fields, loss } = fitStatus(end, this.http2.peerLists.bytes);
    if (fields === undefined) {
      // Not even the code has room. The other calls of the connection go on.
      this.http2.resetStream(this.stream, ErrorCode.INTERNAL_ERROR);
      return loss;
    }
    if (isHeadFirst) this.sendHeadersIfDue();
    this.sendTrailers(fields);
    return loss;
  }

  /** Where the constant block is not the right one, or the client takes so little that it may be too large. */
  private prepareHeaders(wishes: ResponseWishes): void {
    if (this.headers === undefined) return;
    const { ownHeaders, wantedEncoding } = wishes;
    const isPlain = ownHeaders === undefined && wantedEncoding === undefined && this.acceptEncoding === undefined;
    if (isPlain && this.http2.peerLists.bytes >= CONSTANT_BLOCK_BYTES) return;
    const about = { encoding: this.startCompression(wishes), acceptEncoding: this.acceptEncoding };
    if (ownHeaders === undefined) {
      if (this.http2.peerLists.bytes < CONSTANT_BLOCK_BYTES) this.fittingHeaders(undefined, about);
      this.headers = constantHeaders(about);
      return;
    }
    const block = this.fittingHeaders(ownHeaders, about);
    this.headers = undefined;
    this.http2.sendHeaders(this.stream, block, false);
  }

  private fittingHeaders(ownHeaders: Metadata | undefined, about: ResponseEncoding): OutboundField[] {
    const block = responseHeaders(ownHeaders, about);
    const bytes = listBytes(block);
    const limit = this.http2.peerLists.bytes;
    if (bytes <= limit) return block;
    const text = `the response headers are ${bytes} bytes, and the client takes ${limit}: what is large belongs into a message`;
    throw createRpcError("library", StatusCode.RESOURCE_EXHAUSTED, text);
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
