/**
 * One call on the client, from start to status. Owns the ending: whatever the network does, the call settles once, with
 * one status, and lets go of everything it held. The surfaces of the kinds are in `unary-call.ts` and
 * `streaming-calls.ts`.
 *
 * Nothing that user code throws leaves through here: the connection serves other calls too.
 */
import { statusFromErrorCode } from "../grpc/error-mapping.ts";
import { findMetadataFault } from "../grpc/metadata-codec.ts";
import type { ServerCall } from "../rpc/call.ts";
import { NO_DEADLINE, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { Inbound, type InboundOwner } from "../stream/inbound.ts";
import { Outbound } from "../stream/outbound.ts";
import { ErrorCode, errorCodeName, type HeaderField, type Http2Stream, type Initiator } from "../transport/http2.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import { type CallOptions, callDeadline, parentOf } from "./call-options.ts";
import type { Channel } from "./channel.ts";
import type { ClientConnection, StreamEvents } from "./client-connection.ts";
import { refusalOf } from "./local-failure.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import type { PendingCall } from "./pending-calls.ts";
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

/** The surface of a kind, as its stream sees it. */
export interface CallSurface {
  /** The HTTP/2 stream is open: the request can be sent through `stream`. */
  onStarted(stream: ClientStream): void;
  /** The server refused the stream; `onStarted` comes again, unless the call ends before. */
  onRefused(): void;
  /** One response message that took `cost` octets of window; they are owed to `stream.taken`. */
  onMessage(message: unknown, cost: number): void;
  /** The call is over; called once, last. `isAbandoned`: by this side, which does not want what has arrived either. */
  onEnded(status: Status, isAbandoned: boolean): void;
  /** Whether the request can be sent again although nothing came back: nothing of it was consumed yet. */
  readonly isReplayable: boolean;
}

const NO_HEAD: ResponseHead = { httpStatus: 0, contentType: undefined };
const NOTHING = Buffer.alloc(0);

export class ClientStream extends WheelTimer implements StreamEvents, InboundOwner, PendingCall {
  readonly waitForReady: boolean;
  readonly channel: Channel;
  readonly method: BoundClientMethod;
  private readonly options: CallOptions;
  private readonly surface: CallSurface;
  private readonly metadata: Metadata | undefined;
  private readonly parent: ServerCall | undefined;
  private readonly startedMs: number;
  private deadlineMs: number;
  /** Made only where interceptors look at calls. */
  private hooked: OutgoingCall | undefined = undefined;
  private connection: ClientConnection | undefined = undefined;
  private stream: Http2Stream | undefined = undefined;
  private inbound: Inbound | undefined = undefined;
  private outbound: Outbound | undefined = undefined;
  private head: ResponseHead = NO_HEAD;
  private messagesReceived = 0;
  private ended = false;
  private refusedBefore = false;

  /** Throws for illegal options; everything later is a status. */
  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, surface: CallSurface) {
    super();
    this.channel = channel;
    this.method = method;
    this.options = options;
    this.surface = surface;
    this.waitForReady = options.waitForReady ?? false;
    this.parent = parentOf(options);
    this.startedMs = performance.now();
    this.deadlineMs = callDeadline(options, this.parent, this.startedMs);
    this.metadata = options.metadata === undefined ? undefined : Metadata.from(options.metadata);
  }

  /** To be called once, after the surface is complete. */
  start(): void {
    const waiting = this.method.hooks.isActive ? this.runOnCall() : undefined;
    if (this.ended || !this.watchSignals()) return;
    if (waiting === undefined) this.proceed();
    else if (this.watchDeadline())
      waiting.then(
        () => this.proceed(),
        (error) => this.refuse(error),
      );
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /** Ends the call from this side, for a reason that makes its answer unwanted. */
  cancel(message = "the call was cancelled", cause?: unknown): void {
    const status = createRpcError("client", StatusCode.CANCELLED, message, cause === undefined ? undefined : { cause });
    this.finish(status, ErrorCode.CANCEL, true);
  }

  /** Ends the call with this status, and tells the server to stop. */
  abort(status: Status): void {
    this.finish(status, ErrorCode.CANCEL, false);
  }

  // Sending; nothing happens once the call is over.

  /** Throws what the encoder or a hook throws. */
  send(message: unknown): void {
    this.transmit(message, false);
  }

  /** The only or last message; the stream is half-closed with it. Throws as `send` does. */
  sendLast(message: unknown): void {
    this.transmit(message, true);
  }

  halfClose(): void {
    if (this.ended || this.stream === undefined || this.stream.isLocalDone) return;
    this.connection!.http2.sendData(this.stream, NOTHING, true);
  }

  whenWritable(): Promise<void> | undefined {
    return this.outbound?.whenWritable();
  }

  /** A message of this cost left the surface's queue. */
  taken(cost: number): void {
    this.inbound?.taken(cost);
  }

  // PendingCall

  begin(connection: ClientConnection): void {
    const { definition, constantFields } = this.method;
    const { http2 } = connection;
    this.connection = connection;
    const stream = connection.openStream(this);
    this.stream = stream;
    this.inbound = new Inbound(http2, stream, definition.responseCodec, this.channel.options.limits, this);
    this.outbound = new Outbound(http2, stream, definition.requestCodec, undefined);
    const remaining = this.deadlineMs === NO_DEADLINE ? NO_DEADLINE : remainingMs(this.deadlineMs, performance.now());
    const metadata = this.hooked === undefined ? this.metadata : this.hooked.metadata;
    http2.sendHeaders(stream, requestFields(constantFields, remaining, metadata), false);
    this.surface.onStarted(this);
  }

  failUnavailable(reason: string): void {
    this.abort(createRpcError("client", StatusCode.UNAVAILABLE, reason));
  }

  failClosed(): void {
    this.abort(createRpcError("client", StatusCode.CANCELLED, "the channel is closed"));
  }

  // StreamEvents

  onHeaders(fields: HeaderField[], endStream: boolean): void {
    if (this.ended) return;
    this.head = readResponseHead(fields);
    if (endStream) this.finishWith(fields);
    else if (!isGrpcResponse(this.head)) this.abort(statusWithout(this.head));
    else if (this.options.onHeaders !== undefined) this.tellHeaders(this.options.onHeaders, fields);
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.ended) return;
    if (this.head === NO_HEAD) {
      this.onInboundFault(StatusCode.INTERNAL, "the server sent data before headers");
      return;
    }
    this.inbound!.receive(bytes, start, end);
    // gRPC PROTOCOL-HTTP2 "Responses": a response ends with trailers, never with data.
    if (endStream) this.abort(statusWithout(this.head));
  }

  onTrailers(fields: HeaderField[]): void {
    if (!this.ended) this.finishWith(fields);
  }

  onReset(code: ErrorCode, initiator: Initiator): void {
    if (this.ended) return;
    if (code === ErrorCode.REFUSED_STREAM && initiator === "remote" && this.retryRefused()) return;
    const isPast = code === ErrorCode.CANCEL && this.deadlineMs <= performance.now();
    const status = isPast ? StatusCode.DEADLINE_EXCEEDED : statusFromErrorCode(code);
    const who = initiator === "remote" ? "the server reset the call" : "the server broke the HTTP/2 protocol";
    this.abort(createRpcError("client", status, `${who} (${errorCodeName(code)})`));
  }

  onWritable(): void {
    this.outbound?.release();
  }

  onConnectionLost(reason: string): void {
    if (this.channel.state === "SHUTDOWN") this.failClosed();
    else this.failUnavailable(`the connection to ${this.channel.target} was lost: ${reason}`);
  }

  // InboundOwner

  onMessage(message: unknown, cost: number): void {
    this.messagesReceived++;
    const { onResponse } = this.method.hooks;
    if (onResponse !== undefined) {
      try {
        onResponse(message, this.hooked!);
      } catch (error) {
        this.refuse(error);
      }
      if (this.ended) return;
    }
    this.surface.onMessage(message, cost);
  }

  onInboundFault(code: StatusCode, message: string): void {
    this.abort(createRpcError("client", code, message));
  }

  /** The deadline. */
  override onTimer(): void {
    const status = createRpcError("client", StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed");
    this.finish(status, ErrorCode.CANCEL, true);
  }

  /** The `abort` event of the caller's signal or of the parent's; an object costs no closure per call. */
  handleEvent({ currentTarget }: Event): void {
    if (currentTarget !== null && currentTarget === this.parent?.signal) this.onParentEnded();
    else this.onSignal();
  }

  // The end

  private finishWith(fields: readonly HeaderField[]): void {
    const isObserved = this.hooked !== undefined || this.options.onTrailers !== undefined;
    const status = isPlainOk(fields) && !isObserved ? PLAIN_OK : statusOf(fields, this.head);
    const isTruncated = status.code === StatusCode.OK && this.inbound?.isAtBoundary === false;
    const text = "the response ended inside a message";
    // gRPC PROTOCOL-HTTP2: the answer is complete; what the server has not taken of the request it does not want.
    if (isTruncated) this.finish(createRpcError("client", StatusCode.INTERNAL, text), ErrorCode.NO_ERROR, false);
    else this.finish(status, ErrorCode.NO_ERROR, false, true);
  }

  /** `code` tells the server to stop, where the stream is still open. */
  private finish(status: Status, code: ErrorCode, isAbandoned: boolean, hasTrailers = false): void {
    if (this.ended) return;
    this.ended = true;
    const { stream, connection, options, parent } = this;
    if (this.slot >= 0) timerWheel.disarm(this);
    if (options.signal !== undefined) options.signal.removeEventListener("abort", this);
    if (parent !== undefined) parent.signal.removeEventListener("abort", this);
    if (stream === undefined || connection === undefined) this.channel.forget(this);
    else {
      this.inbound!.stop();
      this.outbound!.release();
      if (!stream.isClosed) connection.http2.resetStream(stream, code);
      connection.callEnded();
    }
    if (hasTrailers && options.onTrailers !== undefined) this.tellMetadata(options.onTrailers, status.metadata);
    this.surface.onEnded(status, isAbandoned);
    if (this.hooked !== undefined) this.tellEnd(this.hooked, status);
  }

  private tellEnd(hooked: OutgoingCall, status: Status): void {
    hooked.tellEnd({
      status,
      durationMs: performance.now() - this.startedMs,
      messagesSent: this.outbound?.messagesSent ?? 0,
      messagesReceived: this.messagesReceived,
    });
  }

  /** gRFC A6: a server that refused the stream has done nothing; the call is sent once more, on any connection. */
  private retryRefused(): boolean {
    if (this.refusedBefore || this.head !== NO_HEAD || !this.surface.isReplayable) return false;
    this.refusedBefore = true;
    this.inbound!.stop();
    this.outbound!.release();
    const connection = this.connection!;
    this.connection = undefined;
    this.stream = undefined;
    this.inbound = undefined;
    this.outbound = undefined;
    connection.callEnded();
    this.surface.onRefused();
    this.channel.start(this);
    return true;
  }

  // What the user gave

  private runOnCall(): Promise<void> | undefined {
    const { hooks, definition } = this.method;
    const onError = (error: unknown): void => this.channel.reportError(error, definition);
    this.hooked = new OutgoingCall(definition, this.metadata, this.deadlineMs, onError);
    try {
      return hooks.onCall?.(this.hooked);
    } catch (error) {
      this.refuse(error);
      return undefined;
    }
  }

  /** The interceptors have seen the call. */
  private proceed(): void {
    if (this.ended) return;
    if (this.hooked !== undefined) {
      this.hooked.seal();
      this.deadlineMs = this.hooked.deadlineMs;
    }
    if (this.watchDeadline()) this.channel.start(this);
  }

  private transmit(message: unknown, isLast: boolean): void {
    const { onRequest } = this.method.hooks;
    try {
      if (onRequest !== undefined && !this.ended) onRequest(message, this.hooked!);
      if (this.ended) return;
      if (isLast) this.outbound!.sendLast(message);
      else this.outbound!.send(message);
    } catch (error) {
      // A hook or an encoder may have ended the call; then there is nothing to send on.
      if (!this.ended) throw error;
    }
  }

  /** An interceptor does not let the call, or a message of it, pass. */
  private refuse(error: unknown): void {
    this.abort(refusalOf(error));
  }

  /** False where the call ended with it. */
  private watchSignals(): boolean {
    const { signal } = this.options;
    if (signal !== undefined) {
      if (signal.aborted) this.onSignal();
      else signal.addEventListener("abort", this);
    }
    if (this.parent !== undefined && !this.ended) {
      if (this.parent.signal.aborted) this.onParentEnded();
      else this.parent.signal.addEventListener("abort", this);
    }
    return !this.ended;
  }

  /** False where the call ended with it. */
  private watchDeadline(): boolean {
    if (this.deadlineMs === NO_DEADLINE) return true;
    if (this.deadlineMs <= performance.now()) this.onTimer();
    else timerWheel.arm(this, this.deadlineMs);
    return !this.ended;
  }

  private onSignal(): void {
    this.cancel("the call was cancelled by its signal", this.options.signal!.reason);
  }

  private onParentEnded(): void {
    const { signal, remainingMs: leftMs } = this.parent!;
    if (leftMs <= 0) this.onTimer();
    else this.cancel("the call it was made for has ended", signal.reason);
  }

  private tellHeaders(listener: (headers: Metadata) => void, fields: readonly HeaderField[]): void {
    const fault = findMetadataFault(fields);
    if (fault !== undefined) this.onInboundFault(StatusCode.INTERNAL, fault);
    else this.tellMetadata(listener, Metadata.fromWire(fields));
  }

  private tellMetadata(listener: (metadata: Metadata) => void, metadata: Metadata): void {
    try {
      listener(metadata);
    } catch (error) {
      this.channel.reportError(error, this.method.definition);
    }
  }
}
