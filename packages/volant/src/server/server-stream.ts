/**
 * One call on the server, from headers to status: admits it, feeds the handler, sends what it returns, ends it once. Owns
 * the ending: whatever happens, exactly one status is decided, and everything the call holds is let go. How the handler
 * runs is in `handler-run.ts`.
 */

import { statusFromErrorCode } from "../grpc/error-mapping.ts";
import { IDENTITY } from "../grpc/message-encoding.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { runInCall } from "../rpc/ambient.ts";
import type { CallEnd } from "../rpc/call.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import { hasRequestStream } from "../rpc/method.ts";
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import type { Status } from "../rpc/status.ts";
import { Inbound, type InboundOwner } from "../stream/inbound.ts";
import { MessageQueue } from "../stream/message-queue.ts";
import type { Pump } from "../stream/pump.ts";
import { ErrorCode, errorCodeName, type HeaderField, type Http2Stream, type Initiator } from "../transport/http2.ts";
import { monotonicMs } from "../transport/time.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import { type AdmittedCall, askAdmission } from "./admission.ts";
import type { EarlyRequest } from "./early-request.ts";
import { deadlinePassed, failureOf, INTERNAL, noMessage, requestCutShort } from "./failure.ts";
import type { StatusLoss } from "./fitted-status.ts";
import { runHandler } from "./handler-run.ts";
import { type CallStream, IncomingCall } from "./incoming-call.ts";
import type { Orphan } from "./orphan-queue.ts";
import type { OrphanShare } from "./orphan-share.ts";
import { tellEndLater } from "./request-ends.ts";
import { progressOf } from "./request-stall.ts";
import { NO_WISHES, OK, Response } from "./response.ts";
import type { BoundMethod } from "./router.ts";
import type { StreamHost } from "./stream-host.ts";

export class ServerStream extends WheelTimer implements InboundOwner, AdmittedCall, CallStream {
  readonly call: IncomingCall;
  readonly host: StreamHost;
  readonly stream: Http2Stream;
  readonly method: BoundMethod;
  private readonly inbound: Inbound;
  private readonly response: Response;
  private readonly startedMs: number;
  /** Set for kinds with a request stream. */
  private readonly requests: MessageQueue | undefined;
  pump: Pump | undefined = undefined;
  isRunning = false;
  orphan: Orphan | undefined = undefined;
  private request: unknown = undefined;
  private messagesReceived = 0;
  early: EarlyRequest | undefined = undefined;
  private halfClosed = false;
  /** The request has arrived, and not all of it was handed over. */
  private isHalfCloseHeld = false;
  private ended = false;
  /** The code of an end that came from outside the handler. */
  private endedAs: StatusCode | undefined = undefined;
  private endStatus: Status | undefined = undefined;
  private cancelledBy: CallEnd["cancelledBy"] = undefined;

  constructor(
    host: StreamHost,
    stream: Http2Stream,
    method: BoundMethod,
    fields: readonly HeaderField[],
    startedMs: number,
    deadlineMs: number,
    encoding: string,
  ) {
    super();
    const { definition } = method;
    const { compression } = host.limits;
    const isCompressed = encoding !== IDENTITY;
    this.host = host;
    this.stream = stream;
    this.method = method;
    this.startedMs = startedMs;
    this.call = new IncomingCall(definition, host.peer, this, fields, deadlineMs);
    this.inbound = new Inbound(host.http2, stream, method.requestCodec, host.limits, this);
    if (isCompressed) this.inbound.useEncoding(encoding);
    this.response = new Response(host.http2, stream, method.responseCodec, host.limits, isCompressed, host.unsent);
    if (compression.send !== undefined) this.call.wantedEncoding = compression.send;
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
    if (onCall === undefined) this.admit();
    else askAdmission(this, onCall);
  }

  admit(): void {
    if (this.ended) return;
    const { early } = this;
    this.early = undefined;
    if (this.requests !== undefined) runHandler(this);
    early?.replayTo(this);
  }

  // From the connection

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.early === undefined) this.inbound.receive(bytes, start, end);
    else this.early.keep(bytes, start, end);
    if (endStream) this.onHalfClose();
  }

  /** END_STREAM, with data, with trailers or alone. */
  onHalfClose(): void {
    if (this.ended) return;
    if (this.early !== undefined) {
      this.early.complete();
      return;
    }
    if (!this.inbound.isAtBoundary) {
      this.onInboundFault(StatusCode.INTERNAL, "the request ended inside a message");
      return;
    }
    if (!this.inbound.end()) {
      this.isHalfCloseHeld = true;
      return;
    }
    this.halfClosed = true;
    if (this.requests !== undefined)
      tellEndLater(this.requests, this.host, this.call.halfClosesToCancel ? this.host.cancelGraceMs : 0);
    else if (this.messagesReceived > 0) runHandler(this);
    else this.onInboundFault(StatusCode.UNIMPLEMENTED, "the request has no message, this method takes exactly one");
  }

  /** Whatever the code: proxies have their own for a client that went away (Envoy 2, Apache 5 and 0, Caddy 8). */
  onReset(code: ErrorCode, initiator: Initiator): void {
    if (initiator === "remote") this.abandon(StatusCode.CANCELLED, "peer", "the client cancelled the call");
    else this.abandon(statusFromErrorCode(code), "peer", `the server reset the stream with ${errorCodeName(code)}`);
  }

  /** The client took nothing of what waited for it, and the stream was reset. */
  onStalled(): void {
    this.abandon(
      StatusCode.CANCELLED,
      "server",
      "the client did not read what was sent to it (http2.streamStallTimeoutMs)",
    );
  }

  onConnectionLost(reason: string): void {
    this.abandon(StatusCode.CANCELLED, "connection", reason);
  }

  get orphanShare(): OrphanShare {
    return this.host.orphanShare;
  }

  /** For the watch over requests that do not arrive: see `RequestProgress`. */
  get requestProgress(): number {
    const isMissing = this.requests === undefined || this.inbound.isInMessage;
    const isWhole = this.halfClosed || this.isHalfCloseHeld;
    if (this.ended || isWhole || this.early !== undefined || !isMissing) return -1;
    return progressOf(this.messagesReceived, this.inbound.pendingBytes);
  }

  onWritable(): void {
    this.response.release();
  }

  override onTimer(): void {
    this.endNow(deadlinePassed(), "deadline");
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
      const text = "the request has more than one message, this method takes exactly one";
      this.onInboundFault(StatusCode.UNIMPLEMENTED, text);
    } else this.request = message;
  }

  onInboundDrained(): void {
    this.onHalfClose();
  }

  onInboundFault(code: StatusCode, message: string): void {
    this.fail(createRpcError("library", code, message));
  }

  countFault(cause: string): void {
    this.host.countFault(cause);
  }

  // For the pump

  send(message: unknown): void {
    const { definition, hooks } = this.method;
    if (message === undefined || message === null) throw noMessage(definition.path, `yielded ${message}`);
    const { onResponse } = hooks;
    if (onResponse !== undefined) onResponse(message, this.call);
    if (!this.ended) this.response.sendMessage(message, this.call);
  }

  whenWritable(): Promise<void> | undefined {
    return this.response.whenWritable();
  }

  get isDone(): boolean {
    return this.ended;
  }

  // For the call

  get headersSent(): boolean {
    return this.response.headersSent;
  }

  describeEnd(): CallEnd | undefined {
    if (this.endStatus === undefined) return undefined;
    return {
      status: this.endStatus,
      durationMs: monotonicMs() - this.startedMs,
      messagesReceived: this.messagesReceived,
      messagesSent: this.response.messagesSent,
      cancelledBy: this.cancelledBy,
    };
  }

  reportError(error: unknown): void {
    this.host.reportError(error, this.call);
  }

  sendHeadersNow(): void {
    if (!this.ended && !this.stream.isClosed) this.response.sendHeaders(this.call);
  }

  cancel(error: unknown): void {
    const { status, report } = failureOf(error, this.call, undefined);
    if (report) this.reportError(error);
    // While user code hears of an end from outside, that end is the one there is.
    if (!this.ended && this.endedAs === undefined) this.endNow(status, "server");
  }

  // For the handler

  takeInput(): unknown {
    const input = this.requests ?? this.request;
    this.request = undefined;
    return input;
  }

  finishStream(): void {
    this.sendStatus(OK, undefined);
  }

  finishUnary(message: unknown): void {
    const { definition, hooks } = this.method;
    if (message === undefined || message === null) throw noMessage(definition.path, `returned ${message}`);
    if (hooks.onResponse !== undefined) hooks.onResponse(message, this.call);
    if (this.ended) return;
    const loss = this.response.sendOnly(message, this.call);
    // What the message is made of may be user code, which may have ended the call.
    if (!this.ended) this.afterStatus(OK, undefined);
    if (loss !== undefined) this.host.reportLoss(loss, this.call);
  }

  // The end

  fail(error: unknown): void {
    const { status, report } = failureOf(error, this.call, this.endedAs);
    if (report) this.reportError(error);
    if (this.ended) return;
    this.cancelWork(status);
    if (!this.ended) this.sendStatus(status, undefined);
  }

  /** The status goes out, behind data where some is queued; then the call is over. */
  private sendStatus(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    // Marked first: what the block is made of may be user code.
    this.ended = true;
    let sent = status;
    let loss: StatusLoss | undefined;
    try {
      loss = this.response.sendStatus(status, this.call);
    } catch (error) {
      // A detail that cannot be encoded, or headers that the client does not take: it still gets an end.
      this.reportError(error);
      sent = error instanceof RpcError && error.origin === "library" ? error : INTERNAL;
      this.response.sendStatus(sent, NO_WISHES);
    }
    this.afterStatus(sent, cancelledBy);
    if (loss !== undefined) this.host.reportLoss(loss, this.call);
  }

  private afterStatus(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    this.decide(status, cancelledBy);
    // An answer before the request is complete: the client is told to stop sending.
    if (!this.halfClosed) this.host.http2.resetWhenDone(this.stream);
  }

  /** The end comes from outside the handler and waits for nobody. */
  private endNow(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    this.endedAs = status.code;
    this.cancelWork(status);
    if (this.ended) return;
    this.response.dropPending();
    if (this.stream.queuedBytes === 0) {
      this.sendStatus(status, cancelledBy);
      return;
    }
    // A status behind data that the peer does not take would never arrive: then the stream is reset.
    const tooSlow = status.code === StatusCode.RESOURCE_EXHAUSTED;
    this.host.http2.resetStream(this.stream, tooSlow ? ErrorCode.ENHANCE_YOUR_CALM : ErrorCode.CANCEL);
    this.decide(status, cancelledBy);
  }

  /** The peer is gone, or does not want the answer any more. */
  private abandon(code: StatusCode, cancelledBy: CallEnd["cancelledBy"], message: string): void {
    this.response.dropPending();
    if (this.ended) {
      this.response.release();
      return;
    }
    // The timer may be a moment late: what ends a call past its deadline is the deadline.
    const isLate = this.call.remainingMs === 0;
    const error = isLate ? deadlinePassed() : createRpcError("library", code, message);
    this.endedAs = isLate ? error.code : StatusCode.CANCELLED;
    this.cancelWork(error);
    if (!this.ended) this.decide(error, isLate ? "deadline" : cancelledBy);
  }

  /** Tells everything that works for this call that nobody waits for it. User code runs here, inside the call. */
  private cancelWork({ code, message }: Status): void {
    this.inbound.stop();
    this.requests?.fail(createRpcError("library", code, message));
    this.call.markAborted(message);
    if (this.pump !== undefined || this.call.hasSignal) runInCall(this.call, ServerStream.interrupt, this);
  }

  private static interrupt(stream: ServerStream): void {
    stream.call.fireSignal();
    stream.pump?.cancel((late) => stream.reportLate(late));
  }

  /** A generator's failure on its way out: what the cancellation itself caused is no news. */
  private reportLate(error: unknown): void {
    if (failureOf(error, this.call, this.endedAs).report) this.reportError(error);
  }

  private decide(status: Status, cancelledBy: CallEnd["cancelledBy"]): void {
    this.ended = true;
    if (this.slot >= 0) timerWheel.disarm(this);
    this.early = undefined;
    this.inbound.stop();
    // Only a half-close ends an iteration: whoever still reads must not take a part for the whole.
    if (this.halfClosed) this.requests?.end();
    else this.requests?.fail(requestCutShort());
    this.response.release();
    this.endStatus = status;
    this.cancelledBy = cancelledBy;
    if (this.isRunning) this.host.running.orphan(this, monotonicMs());
    if (this.call.endListeners !== undefined) runInCall(this.call, ServerStream.tellEnd, this);
  }

  private static tellEnd(stream: ServerStream): void {
    stream.call.tellEnd(stream.describeEnd()!);
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
}
