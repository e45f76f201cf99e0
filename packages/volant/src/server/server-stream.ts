/**
 * One call on the server, from headers to status: admits it, feeds the handler, sends what it returns, ends it once. Owns
 * the ending: whatever happens, exactly one status is decided, and everything the call holds is let go.
 */
import { StatusCode } from "../grpc/status-code.ts";
import { statusFromErrorCode } from "../grpc/error-mapping.ts";
import { ErrorCode, type HeaderField, type Http2Connection, type Http2Stream } from "../transport/http2.ts";
import { runInCall } from "../rpc/ambient.ts";
import type { CallEnd } from "../rpc/call.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import { hasRequestStream, hasResponseStream } from "../rpc/method.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import type { Status } from "../rpc/status.ts";
import { Metadata } from "../rpc/metadata.ts";
import { Inbound, type InboundLimits, type InboundOwner } from "../stream/inbound.ts";
import { MessageQueue } from "../stream/message-queue.ts";
import { Outbound } from "../stream/outbound.ts";
import { type AnyIterable, isIterable, isThenable, Pump, type PumpTarget } from "../stream/pump.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { Peer } from "../rpc/peer.ts";
import { failureOf } from "./failure.ts";
import { type CallStream, IncomingCall } from "./incoming-call.ts";
import { OK_TRAILERS, RESPONSE_HEADERS, responseHeaders, trailerFields, trailersOnly } from "./responses.ts";
import type { BoundMethod } from "./router.ts";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly http2: Http2Connection;
  readonly peer: Peer;
  readonly limits: InboundLimits;
  /** Reports an error that no client will see. Never throws. */
  reportError(error: unknown, call: IncomingCall): void;
}

const OK: Status = Object.freeze({ code: StatusCode.OK, message: "", details: [], metadata: new Metadata() });

export class ServerStream extends WheelTimer implements InboundOwner, PumpTarget, CallStream {
  readonly call: IncomingCall;
  private readonly host: StreamHost;
  private readonly stream: Http2Stream;
  private readonly method: BoundMethod;
  private readonly inbound: Inbound;
  private readonly outbound: Outbound;
  private readonly startedMs: number;
  /** Set for kinds with a request stream. */
  private readonly requests: MessageQueue | undefined;
  private pump: Pump | undefined = undefined;
  private request: unknown = undefined;
  private messagesReceived = 0;
  private halfClosed = false;
  private admitted = false;
  private ended = false;
  private endedAs: StatusCode | undefined = undefined;

  constructor(
    host: StreamHost,
    stream: Http2Stream,
    method: BoundMethod,
    fields: readonly HeaderField[],
    startedMs: number,
    deadlineMs: number,
  ) {
    super();
    const { definition } = method;
    this.host = host;
    this.stream = stream;
    this.method = method;
    this.startedMs = startedMs;
    this.call = new IncomingCall(definition, host.peer, this, fields, deadlineMs);
    this.inbound = new Inbound(host.http2, stream, definition.requestCodec, host.limits, this);
    this.outbound = new Outbound(host.http2, stream, definition.responseCodec, RESPONSE_HEADERS);
    this.requests = hasRequestStream(definition.kind)
      ? new MessageQueue(
          (cost) => this.inbound.taken(cost),
          () => this.inbound.stop(),
        )
      : undefined;
  }

  /** Runs `onCall`, then lets messages in. */
  begin(): void {
    if (this.call.deadlineMs !== NO_DEADLINE) timerWheel.arm(this, this.call.deadlineMs);
    const { onCall } = this.method.hooks;
    if (onCall === undefined) {
      this.admit();
      return;
    }
    try {
      const admitting = onCall(this.call);
      if (admitting === undefined) this.admit();
      else admitting.then(this.admit, this.fail);
    } catch (error) {
      this.fail(error);
    }
  }

  // From the connection

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.inbound.receive(bytes, start, end);
    if (endStream) this.onHalfClose();
  }

  /** END_STREAM, with data, with trailers or alone. */
  onHalfClose(): void {
    if (this.ended) return;
    if (!this.inbound.isAtBoundary) {
      this.onInboundFault(StatusCode.INTERNAL, "the request ended inside a message");
      return;
    }
    this.halfClosed = true;
    if (this.requests !== undefined) this.requests.end();
    else if (this.messagesReceived === 0) {
      this.onInboundFault(StatusCode.UNIMPLEMENTED, "the request has no message, this method takes exactly one");
    } else if (this.admitted) this.run();
  }

  onReset(code: ErrorCode): void {
    this.abandon(statusFromErrorCode(code), "peer", "the client cancelled the call");
  }

  onConnectionLost(): void {
    this.abandon(StatusCode.CANCELLED, "connection", "the connection was lost");
  }

  onWritable(): void {
    this.outbound.release();
  }

  override onTimer(): void {
    const error = createRpcError("library", StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed");
    this.endedAs = StatusCode.DEADLINE_EXCEEDED;
    this.cancelWork(error);
    // A status behind data that the peer does not take would never arrive: then the stream is reset.
    if (this.stream.queuedBytes > 0) {
      this.host.http2.resetStream(this.stream, ErrorCode.CANCEL);
      this.decide(error, "deadline");
    } else this.sendStatus(error, "deadline");
  }

  // From the inbound half

  onMessage(message: unknown, cost: number): void {
    this.messagesReceived++;
    const { onRequest } = this.method.hooks;
    if (onRequest !== undefined && !this.runHook(onRequest, message)) {
      this.inbound.taken(cost);
      return;
    }
    if (this.requests !== undefined) {
      this.requests.push(message, cost);
      return;
    }
    this.inbound.taken(cost);
    if (this.messagesReceived > 1) {
      this.onInboundFault(StatusCode.UNIMPLEMENTED, "the request has more than one message, this method takes exactly one");
    } else this.request = message;
  }

  onInboundFault(code: StatusCode, message: string): void {
    this.fail(createRpcError("library", code, message));
  }

  // For the pump

  send(message: unknown): void {
    const { onResponse } = this.method.hooks;
    if (onResponse !== undefined) onResponse(message, this.call);
    if (this.ended) return;
    this.sendOwnHeaders();
    this.outbound.send(message);
  }

  whenWritable(): Promise<void> | undefined {
    return this.outbound.whenWritable();
  }

  get isDone(): boolean {
    return this.ended;
  }

  // For the call

  get headersSent(): boolean {
    return this.outbound.headers === undefined;
  }

  sendHeadersNow(): void {
    if (this.ended) return;
    this.sendOwnHeaders();
    this.outbound.sendHeadersIfDue();
  }

  // The handler

  private readonly admit = (): void => {
    if (this.ended) return;
    this.admitted = true;
    if (this.requests !== undefined || this.halfClosed) this.run();
  };

  private run(): void {
    runInCall(this.call, this.runHandler);
  }

  private readonly runHandler = (): void => {
    try {
      const result = this.method.handler(this.requests ?? this.request, this.call);
      this.request = undefined;
      if (isThenable(result)) result.then(this.onResult, this.fail);
      else this.onResult(result);
    } catch (error) {
      this.fail(error);
    }
  };

  private readonly onResult = (result: unknown): void => {
    if (this.ended) return;
    if (hasResponseStream(this.method.definition.kind)) this.startPump(result);
    else this.finishUnary(result);
  };

  private startPump(result: unknown): void {
    const { path } = this.method.definition;
    if (!isIterable(result)) {
      this.fail(new TypeError(`the handler of ${path} returned no iterable; yield messages, or return an iterable of them`));
      return;
    }
    try {
      this.pump = new Pump(result as AnyIterable, this);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.pump.run().then(this.succeed, this.fail);
  }

  private finishUnary(message: unknown): void {
    const { definition, hooks } = this.method;
    if (message === undefined || message === null) {
      this.fail(new TypeError(`the handler of ${definition.path} returned ${message}; it returns a message or its fields`));
      return;
    }
    try {
      if (hooks.onResponse !== undefined) hooks.onResponse(message, this.call);
      if (this.ended) return;
      this.sendOwnHeaders();
      if (this.call.ownTrailers === undefined) this.outbound.send(message, OK_TRAILERS);
      else {
        this.outbound.send(message);
        this.host.http2.sendTrailers(this.stream, trailerFields(OK, this.call.ownTrailers));
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    this.afterStatus(OK, undefined);
  }

  // The end

  private readonly succeed = (): void => {
    if (!this.ended) this.sendStatus(OK, undefined);
  };

  private readonly fail = (error: unknown): void => {
    const failure = failureOf(error, this.call, this.endedAs);
    if (failure.report) this.host.reportError(error, this.call);
    if (this.ended) return;
    this.cancelWork(createRpcError("library", failure.status.code, failure.status.message));
    this.sendStatus(failure.status, undefined);
  };

  /** The status goes out, behind data where some is queued; then the call is over. */
  private sendStatus(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    const { http2 } = this.host;
    const { ownTrailers } = this.call;
    // Marked first: what the block is made of may be user code.
    this.ended = true;
    if (!this.headersSent && status.code === StatusCode.OK) {
      this.sendOwnHeaders();
      this.outbound.sendHeadersIfDue();
    }
    if (this.headersSent) http2.sendTrailers(this.stream, trailerFields(status, ownTrailers));
    else http2.sendTrailers(this.stream, trailersOnly(status, mergeMetadata(this.call.ownHeaders, ownTrailers)));
    this.afterStatus(status, cancelledBy);
  }

  private afterStatus(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    this.decide(status, cancelledBy);
    // An answer before the request is complete: the client is told to stop sending.
    if (!this.halfClosed) this.host.http2.resetWhenDone(this.stream);
  }

  /** The peer is gone, or does not want the answer any more. */
  private abandon(code: StatusCode, cancelledBy: CallEnd["cancelledBy"], message: string): void {
    if (this.ended) {
      this.outbound.release();
      return;
    }
    const error = createRpcError("library", code, message);
    this.endedAs = StatusCode.CANCELLED;
    this.cancelWork(error);
    this.decide(error, cancelledBy);
  }

  /** Tells everything that works for this call that nobody waits for it. */
  private cancelWork(error: Status & Error): void {
    this.inbound.stop();
    this.requests?.fail(error);
    this.call.abort(new DOMException(error.message, "AbortError"));
    this.pump?.cancel((late) => this.host.reportError(late, this.call));
  }

  private decide(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    this.ended = true;
    if (this.slot >= 0) timerWheel.disarm(this);
    this.inbound.stop();
    this.requests?.end();
    this.outbound.release();
    const listeners = this.call.endListeners;
    if (listeners !== undefined) this.tellEnd(listeners, status, cancelledBy);
  }

  private tellEnd(
    listeners: readonly ((end: CallEnd) => void)[],
    status: Status,
    cancelledBy: CallEnd["cancelledBy"],
  ): void {
    const end: CallEnd = {
      status,
      durationMs: performance.now() - this.startedMs,
      messagesReceived: this.messagesReceived,
      messagesSent: this.outbound.messagesSent,
      cancelledBy,
    };
    // Innermost first: the interceptor that ran last sees the end first.
    for (let at = listeners.length - 1; at >= 0; at--) {
      try {
        listeners[at]!(end);
      } catch (error) {
        this.host.reportError(error, this.call);
      }
    }
  }

  private runHook(hook: (message: unknown, call: IncomingCall) => void, message: unknown): boolean {
    if (this.ended) return false;
    try {
      hook(message, this.call);
      return !this.ended;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /** Headers with metadata of the handler's own cannot be the constant block. */
  private sendOwnHeaders(): void {
    if (this.call.ownHeaders === undefined || this.headersSent) return;
    this.outbound.headers = undefined;
    this.host.http2.sendHeaders(this.stream, responseHeaders(this.call.ownHeaders), false);
  }
}

function mergeMetadata(headers: Metadata | undefined, trailers: Metadata | undefined): Metadata | undefined {
  if (headers === undefined || headers.size === 0) return trailers;
  return trailers === undefined ? headers : headers.clone().merge(trailers);
}
