/**
 * One call on the client, from start to status. Owns the ending: whatever the network does, the call settles once, with
 * one status, and lets go of everything it held. The surface of each kind is in `calls.ts`.
 */
import { statusFromErrorCode } from "../grpc/error-mapping.ts";
import { ErrorCode, type HeaderField, type Http2Connection, type Http2Stream, type Initiator } from "../transport/http2.ts";
import type { ServerCall } from "../rpc/call.ts";
import { NO_DEADLINE, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { Inbound, type InboundOwner } from "../stream/inbound.ts";
import { Outbound } from "../stream/outbound.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import { type CallOptions, callDeadline, parentOf } from "./call-options.ts";
import type { Channel } from "./channel.ts";
import type { ClientConnection, StreamEvents } from "./client-connection.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import type { PendingCall } from "./pending-calls.ts";
import { requestFields } from "./request-headers.ts";
import { isGrpcResponse, type ResponseHead, readResponseHead, statusOf, statusWithout } from "./response-head.ts";

/** The surface of a kind, as its stream sees it. */
export interface CallSurface {
  /** The HTTP/2 stream is open: the request can be sent through `stream`. */
  onStarted(stream: ClientStream): void;
  /** One response message that took `cost` octets of window; they are owed to `stream.taken`. */
  onMessage(message: unknown, cost: number): void;
  onWritable(): void;
  /** The call is over; called once, last. */
  onEnded(status: Status): void;
  /** Whether the request can be sent again although nothing came back: nothing of it was consumed yet. */
  readonly isReplayable: boolean;
}

const NO_HEAD: ResponseHead = { httpStatus: 0, contentType: undefined };

export class ClientStream extends WheelTimer implements StreamEvents, InboundOwner, PendingCall {
  readonly waitForReady: boolean;
  private readonly channel: Channel;
  private readonly method: BoundClientMethod;
  private readonly options: CallOptions;
  private readonly surface: CallSurface;
  private readonly metadata: Metadata | undefined;
  private readonly parent: ServerCall | undefined;
  private readonly startedMs = performance.now();
  private deadlineMs: number;
  /** Made only where interceptors look at calls. */
  private hooked: OutgoingCall | undefined = undefined;
  private connection: ClientConnection | undefined = undefined;
  private stream: Http2Stream | undefined = undefined;
  private inbound: Inbound | undefined = undefined;
  private outbound: Outbound | undefined = undefined;
  private head: ResponseHead = NO_HEAD;
  private headersReceived = false;
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
    this.deadlineMs = callDeadline(options, this.parent, this.startedMs);
    this.metadata = options.metadata === undefined ? undefined : Metadata.from(options.metadata);
  }

  /** To be called once, after the surface is complete. */
  start(): void {
    if (!this.runOnCall() || !this.watchSignals()) return;
    if (this.deadlineMs !== NO_DEADLINE) {
      if (this.deadlineMs <= this.startedMs) {
        this.onTimer();
        return;
      }
      timerWheel.arm(this, this.deadlineMs);
    }
    this.channel.start(this);
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /** Ends the call from this side. */
  cancel(message = "the call was cancelled", cause?: unknown): void {
    this.abort(createRpcError("client", StatusCode.CANCELLED, message, { cause }));
  }

  /** Ends the call with this status, and tells the server to stop. */
  abort(status: Status): void {
    if (this.ended) return;
    if (this.stream === undefined) this.channel.forget(this);
    else this.connection!.http2.resetStream(this.stream, ErrorCode.CANCEL);
    this.finish(status);
  }

  // Sending

  /** Throws what the encoder or a hook throws. */
  send(message: unknown): void {
    this.runRequestHook(message);
    this.outbound?.send(message);
  }

  /** The only or last message; the stream is half-closed with it. */
  sendLast(message: unknown): void {
    this.runRequestHook(message);
    this.outbound?.sendLast(message);
  }

  halfClose(): void {
    if (this.ended || this.stream === undefined || this.stream.isLocalDone) return;
    this.http2.sendData(this.stream, Buffer.alloc(0), true);
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
    this.connection = connection;
    const stream = connection.openStream(this);
    this.stream = stream;
    this.inbound = new Inbound(connection.http2, stream, definition.responseCodec, this.channel.options.limits, this);
    this.outbound = new Outbound(connection.http2, stream, definition.requestCodec, undefined);
    const remaining = this.deadlineMs === NO_DEADLINE ? NO_DEADLINE : remainingMs(this.deadlineMs, performance.now());
    const metadata = this.hooked === undefined ? this.metadata : this.hooked.metadata;
    connection.http2.sendHeaders(stream, requestFields(constantFields, remaining, metadata), false);
    this.surface.onStarted(this);
  }

  failUnavailable(reason: string): void {
    this.finish(createRpcError("client", StatusCode.UNAVAILABLE, reason));
  }

  failClosed(): void {
    this.finish(createRpcError("client", StatusCode.CANCELLED, "the channel is closed"));
  }

  // StreamEvents

  onHeaders(fields: HeaderField[], endStream: boolean): void {
    if (this.ended) return;
    this.headersReceived = true;
    this.head = readResponseHead(fields);
    if (endStream) {
      this.finishWith(fields);
      return;
    }
    if (!isGrpcResponse(this.head)) {
      this.abort(statusWithout(this.head));
      return;
    }
    const { onHeaders } = this.options;
    if (onHeaders !== undefined) this.tellMetadata(onHeaders, fields);
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.ended) return;
    this.inbound!.receive(bytes, start, end);
    // gRPC PROTOCOL-HTTP2 "Responses": a response ends with trailers, never with data.
    if (endStream && !this.ended) this.finish(statusWithout(this.head));
  }

  onTrailers(fields: HeaderField[]): void {
    if (this.ended) return;
    if (!this.inbound!.isAtBoundary) {
      this.finish(createRpcError("client", StatusCode.INTERNAL, "the response ended inside a message"));
    } else this.finishWith(fields);
  }

  onReset(code: ErrorCode, initiator: Initiator): void {
    if (this.ended) return;
    if (code === ErrorCode.REFUSED_STREAM && initiator === "remote" && this.retryRefused()) return;
    const past = this.deadlineMs <= performance.now();
    const status = past ? StatusCode.DEADLINE_EXCEEDED : statusFromErrorCode(code);
    const who = initiator === "remote" ? "the server reset the call" : "the server broke the HTTP/2 protocol";
    this.finish(createRpcError("client", status, `${who} (code ${code})`));
  }

  onWritable(): void {
    this.outbound?.release();
    this.surface.onWritable();
  }

  onConnectionLost(reason: string): void {
    const closed = this.channel.state === "SHUTDOWN";
    const code = closed ? StatusCode.CANCELLED : StatusCode.UNAVAILABLE;
    this.finish(createRpcError("client", code, closed ? "the channel is closed" : reason));
  }

  // InboundOwner

  onMessage(message: unknown, cost: number): void {
    this.messagesReceived++;
    const { onResponse } = this.method.hooks;
    if (onResponse !== undefined) {
      try {
        onResponse(message, this.hooked!);
      } catch (error) {
        this.cancel("an interceptor refused a response message", error);
      }
      if (this.ended) return;
    }
    this.surface.onMessage(message, cost);
  }

  onInboundFault(code: StatusCode, message: string): void {
    this.abort(createRpcError("client", code, message));
  }

  override onTimer(): void {
    this.abort(createRpcError("client", StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed"));
  }

  private get http2(): Http2Connection {
    return this.connection!.http2;
  }

  private finishWith(fields: readonly HeaderField[]): void {
    const status = statusOf(fields, this.head);
    this.options.onTrailers?.(status.metadata);
    // The answer is complete; what the server has not taken of the request it does not want (gRPC PROTOCOL-HTTP2).
    if (this.stream !== undefined && !this.stream.isLocalDone) this.http2.resetStream(this.stream, ErrorCode.NO_ERROR);
    this.finish(status);
  }

  private finish(status: Status): void {
    if (this.ended) return;
    this.ended = true;
    if (this.slot >= 0) timerWheel.disarm(this);
    this.options.signal?.removeEventListener("abort", this.onSignal);
    if (this.parent !== undefined) this.parent.signal.removeEventListener("abort", this.onParentSignal);
    this.inbound?.stop();
    this.outbound?.release();
    this.surface.onEnded(status);
    this.tellEnd(status);
    if (this.connection !== undefined) this.connection.callEnded();
  }

  private tellEnd(status: Status): void {
    if (this.hooked === undefined) return;
    const end = {
      status,
      durationMs: performance.now() - this.startedMs,
      messagesSent: this.outbound?.messagesSent ?? 0,
      messagesReceived: this.messagesReceived,
    };
    for (const listener of this.hooked.endListeners.reverse()) listener(end);
  }

  /** gRFC A6: a server that refused the stream has done nothing; the call is sent once more, on any connection. */
  private retryRefused(): boolean {
    if (this.refusedBefore || this.headersReceived || !this.surface.isReplayable) return false;
    this.refusedBefore = true;
    this.inbound!.stop();
    const connection = this.connection!;
    this.connection = undefined;
    this.stream = undefined;
    connection.callEnded();
    this.channel.start(this);
    return true;
  }

  private runOnCall(): boolean {
    const { hooks, definition } = this.method;
    if (hooks.onCall === undefined && hooks.onRequest === undefined && hooks.onResponse === undefined) return true;
    this.hooked = new OutgoingCall(definition, this.metadata, this.deadlineMs);
    try {
      hooks.onCall?.(this.hooked);
    } catch (error) {
      this.finish(refusalOf(error));
      return false;
    }
    this.deadlineMs = this.hooked.deadlineMs;
    return true;
  }

  private runRequestHook(message: unknown): void {
    const { onRequest } = this.method.hooks;
    if (onRequest !== undefined) onRequest(message, this.hooked!);
  }

  private watchSignals(): boolean {
    const { signal } = this.options;
    if (signal !== undefined) {
      if (signal.aborted) this.onSignal();
      else signal.addEventListener("abort", this.onSignal, { once: true });
    }
    if (this.parent !== undefined && !this.ended) {
      if (this.parent.signal.aborted) this.onParentSignal();
      else this.parent.signal.addEventListener("abort", this.onParentSignal, { once: true });
    }
    return !this.ended;
  }

  private readonly onSignal = (): void => {
    this.cancel("the call was cancelled by its signal", this.options.signal?.reason);
  };

  private readonly onParentSignal = (): void => {
    const parent = this.parent!;
    if (parent.remainingMs <= 0) this.onTimer();
    else this.cancel("the call it was made for has ended", parent.signal.reason);
  };

  private tellMetadata(listener: (metadata: Metadata) => void, fields: readonly HeaderField[]): void {
    listener(Metadata.fromWire(fields));
  }
}

function refusalOf(error: unknown): Status {
  const message = error instanceof Error ? error.message : String(error);
  return createRpcError("client", StatusCode.INTERNAL, `an interceptor refused the call: ${message}`, { cause: error });
}
