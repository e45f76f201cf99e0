/**
 * One try of a call over one HTTP/2 stream: opening it, what arrives on it, letting go of it. Owns the step from what the
 * server and the connection do to a status, and what the server may have seen of the request by then. gRPC PROTOCOL-HTTP2
 * "Responses", "Errors".
 *
 * It is the base of the call and no object of its own, because there is never more than one under way. Buys: a call, with
 * retries or without, makes nothing for its attempts. Whether another follows is not decided here.
 */

import { statusFromErrorCode } from "../grpc/error-mapping.ts";
import { HeaderName } from "../grpc/header-names.ts";
import type { MessageEncoding } from "../grpc/message-encoding.ts";
import { NO_DEADLINE, remainingMs } from "../rpc/deadline.ts";
import type { Metadata } from "../rpc/metadata.ts";
import { hasRequestStream } from "../rpc/method.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { Inbound, type InboundOwner } from "../stream/inbound.ts";
import { Outbound } from "../stream/outbound.ts";
import {
  ErrorCode,
  errorCodeName,
  type HeaderField,
  type Http2Stream,
  Indexing,
  type Initiator,
  listBytes,
  type OutboundField,
} from "../transport/http2.ts";
import { monotonicMs } from "../transport/time.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import type { Channel } from "./channel.ts";
import type { ClientConnection, StreamEvents } from "./client-connection.ts";
import { deadlinePassed, requestTooLarge, responseTooLarge } from "./local-failure.ts";
import { ReplayLog } from "./replay-log.ts";
import { requestFields } from "./request-headers.ts";
import {
  isGrpcResponse,
  isPlainOk,
  PLAIN_OK,
  type ResponseHead,
  readResponseHead,
  statusOf,
  statusWithout,
} from "./response-head.ts";

/**
 * How far an attempt came, for whoever decides on the next.
 * - `unstarted`: there was no connection to start it on.
 * - `unwritten`: its frames never left this process.
 * - `refused`: the server said that it did nothing: RFC 9113 §8.7.
 * - `unknown`: the server may have acted on it.
 * - `committed`: response headers arrived, or this side ended it. gRFC A6: what follows is the call's.
 */
export type Progress = "unstarted" | "unwritten" | "refused" | "unknown" | "committed";

/** What timeout, encoding and previous attempts add to a request's header list at most. */
const VARYING_BYTES = 192;
const NO_HEAD: ResponseHead = { httpStatus: 0, contentType: undefined, encoding: undefined };

export abstract class Attempt extends WheelTimer implements StreamEvents, InboundOwner {
  readonly channel: Channel;
  readonly method: BoundClientMethod;
  protected deadlineMs: number = NO_DEADLINE;
  /** The call is over, and this with it. */
  protected ended = false;
  protected messagesReceived = 0;
  protected stream: Http2Stream | undefined = undefined;
  protected connection: ClientConnection | undefined = undefined;
  protected inbound: Inbound | undefined = undefined;
  protected outbound: Outbound | undefined = undefined;
  /** What was sent of a request stream; missing where the request is one message. */
  protected log: ReplayLog | undefined = undefined;
  /** Of the request's messages; `undefined` is identity. */
  protected encoding: MessageEncoding | undefined = undefined;
  private head: ResponseHead = NO_HEAD;
  /** They have arrived, and messages in front of them were not handed over yet. The stream is closed then. */
  private heldTrailers: readonly HeaderField[] | undefined = undefined;
  /** Of the connection, before anything of this was sent. */
  private writeCount = 0;

  constructor(channel: Channel, method: BoundClientMethod) {
    super();
    this.channel = channel;
    this.method = method;
  }

  /** What the server has ended the call with, while the reader is not there yet: nothing can be sent any more. */
  get answer(): Status | undefined {
    return this.heldTrailers === undefined ? undefined : statusOf(this.heldTrailers, this.head);
  }

  /** Called once for each attempt, last. `code` tells the server to stop, where the stream is still open. */
  protected abstract onAttemptOver(status: Status, code: ErrorCode, progress: Progress, hasTrailers: boolean): void;
  /** Response headers of gRPC; the attempt is committed. */
  protected abstract onResponseHeaders(fields: readonly HeaderField[]): void;
  /** Somebody looks at the trailers of a call that succeeds. */
  protected abstract readonly observesTrailers: boolean;
  abstract onMessage(message: unknown, cost: number): void;
  abstract failClosed(): void;

  /**
   * `failures` attempts came before. What they sent of a request stream is sent again. False where the server does not take
   * the request's headers: nothing was sent, and the call is over.
   */
  protected open(connection: ClientConnection, metadata: Metadata | undefined, failures: number): boolean {
    const { requestCodec, responseCodec } = this.method;
    const { http2, limits } = connection;
    const fields = this.requestList(metadata, failures);
    const isPlain = metadata === undefined && this.method.constantBytes + VARYING_BYTES <= http2.peerLists.bytes;
    if (!isPlain && listBytes(fields) > http2.peerLists.bytes) {
      this.countFault("request-headers-too-large");
      this.onAttemptOver(requestTooLarge(fields, metadata, http2.peerLists), ErrorCode.CANCEL, "committed", false);
      return false;
    }
    const stream = connection.openStream(this);
    this.connection = connection;
    this.stream = stream;
    this.writeCount = connection.writeCount;
    if (this.log === undefined && hasRequestStream(this.method.definition.kind)) {
      this.log = new ReplayLog(requestCodec, this.channel.options.replay);
    }
    this.inbound = new Inbound(http2, stream, responseCodec, limits, this);
    this.outbound = new Outbound(http2, stream, this.log ?? requestCodec, undefined);
    if (this.encoding !== undefined) this.outbound.compressWith(this.encoding, limits.compression, limits.threadLine);
    http2.sendHeaders(stream, fields, false);
    if (this.log?.isEmpty === false) this.log.replay((encoded) => this.outbound?.send(encoded));
    return true;
  }

  private requestList(metadata: Metadata | undefined, failures: number): readonly OutboundField[] {
    const remaining = this.deadlineMs === NO_DEADLINE ? NO_DEADLINE : remainingMs(this.deadlineMs, monotonicMs());
    const fields = requestFields(this.method.constantFields, remaining, metadata, this.encoding?.name);
    return failures === 0 ? fields : [...fields, previousAttempts(failures)];
  }

  /** Nothing more comes of this attempt. */
  protected letGo(code: ErrorCode): void {
    const { connection, stream } = this;
    if (connection === undefined || stream === undefined) return;
    this.inbound!.stop();
    this.outbound!.dropPending();
    this.outbound!.release();
    if (!stream.isClosed) connection.http2.resetStream(stream, code);
    stream.context = undefined;
    this.connection = undefined;
    this.stream = undefined;
    this.head = NO_HEAD;
    if (this.heldTrailers === undefined) connection.streamClosed();
    else {
      this.heldTrailers = undefined;
      this.channel.removeUnread(this);
    }
    connection.callEnded();
  }

  // StreamEvents

  onHeaders(fields: HeaderField[], endStream: boolean): void {
    if (this.ended) return;
    const head = readResponseHead(fields);
    if (endStream) this.onStatus(fields, head);
    // What a proxy answers in place of the server says nothing of gRPC, and commits to nothing.
    else if (!isGrpcResponse(head)) this.onAttemptOver(statusWithout(head), ErrorCode.CANCEL, "unknown", false);
    else {
      this.head = head;
      if (head.encoding !== undefined) this.inbound!.useEncoding(head.encoding);
      this.log?.close();
      this.onResponseHeaders(fields);
    }
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.ended) return;
    if (this.head === NO_HEAD) {
      this.onInboundFault(StatusCode.INTERNAL, "the server sent data before headers");
      return;
    }
    this.inbound!.receive(bytes, start, end);
    // gRPC PROTOCOL-HTTP2 "Responses": a response ends with trailers, never with data.
    if (endStream) this.fail(statusWithout(this.head));
  }

  onTrailers(fields: HeaderField[]): void {
    if (this.ended) return;
    if (this.inbound!.end()) this.onStatus(fields, this.head);
    else this.holdTrailers(fields);
  }

  onReset(code: ErrorCode, initiator: Initiator, cause: string | undefined): void {
    if (this.ended) return;
    if (cause === "header-list-too-large") {
      this.fail(responseTooLarge(this.head === NO_HEAD ? "headers" : "trailers", this.channel.options.http2));
      return;
    }
    if (initiator !== "remote") {
      const text = `the server broke the HTTP/2 protocol (${errorCodeName(code)})`;
      this.fail(createRpcError("client", statusFromErrorCode(code), text));
      return;
    }
    const text = `the server reset the call (${errorCodeName(code)})`;
    const status = createRpcError("client", statusFromErrorCode(code), text);
    const progress = code === ErrorCode.REFUSED_STREAM ? "refused" : "unknown";
    this.onAttemptOver(this.inTime(status), ErrorCode.CANCEL, this.progressUnless(progress), false);
  }

  onWritable(): void {
    this.outbound?.release();
  }

  onConnectionLost(reason: string): void {
    if (this.ended) return;
    if (this.channel.state === "SHUTDOWN") {
      this.failClosed();
      return;
    }
    const text = `the connection to ${this.channel.target} was lost: ${reason}`;
    const status = createRpcError("client", StatusCode.UNAVAILABLE, text);
    const progress = this.connection!.isUnwritten(this.writeCount) ? "unwritten" : "unknown";
    this.onAttemptOver(status, ErrorCode.CANCEL, this.progressUnless(progress), false);
  }

  // InboundOwner

  onInboundFault(code: StatusCode, message: string): void {
    this.fail(createRpcError("client", code, message));
  }

  countFault(cause: string): void {
    this.channel.countFault(cause);
  }

  onInboundDrained(): void {
    if (!this.ended && this.heldTrailers !== undefined) this.onStatus(this.heldTrailers, this.head);
  }

  /**
   * The answer is complete: from here only its reader, or this side, can end the call otherwise. Its stream is another
   * call's to open, and a writer that waits goes on: where it is the reader too, nobody else would come to the end.
   */
  private holdTrailers(fields: readonly HeaderField[]): void {
    const connection = this.connection!;
    const stream = this.stream!;
    this.heldTrailers = fields;
    if (this.slot >= 0) timerWheel.disarm(this);
    this.channel.addUnread(this);
    // What the server has not taken of the request it does not want, as behind an answer that is read at once.
    if (!stream.isClosed) connection.http2.resetStream(stream, ErrorCode.NO_ERROR);
    this.outbound!.release();
    connection.streamClosed();
  }

  /** The stream ended with these fields: trailers, or the only header block. */
  private onStatus(fields: readonly HeaderField[], head: ResponseHead): void {
    const received = isPlainOk(fields) && !this.observesTrailers ? PLAIN_OK : statusOf(fields, head);
    if (received.code === StatusCode.OK) {
      const isWhole = this.inbound!.isAtBoundary;
      const text = "the response ended inside a message";
      const status = isWhole ? received : createRpcError("client", StatusCode.INTERNAL, text);
      // gRPC PROTOCOL-HTTP2: the answer is complete; what the server has not taken of the request it does not want.
      this.onAttemptOver(status, ErrorCode.NO_ERROR, "committed", isWhole);
      return;
    }
    const status = this.inTime(received);
    this.onAttemptOver(status, ErrorCode.NO_ERROR, this.progressUnless("unknown"), status === received);
  }

  /** The server's answer makes no sense, or is not wanted. */
  private fail(status: Status): void {
    this.onAttemptOver(status, ErrorCode.CANCEL, "committed", false);
  }

  private progressUnless(progress: Progress): Progress {
    return this.head === NO_HEAD ? progress : "committed";
  }

  /** A server whose clock is ahead cancels what has run out of time here too. Its trailers would say another thing. */
  private inTime(status: Status): Status {
    return status.code === StatusCode.CANCELLED && this.deadlineMs <= monotonicMs() ? deadlinePassed() : status;
  }
}

function previousAttempts(failures: number) {
  return { name: HeaderName.PREVIOUS_RPC_ATTEMPTS, value: String(failures), indexing: Indexing.WITHOUT };
}
