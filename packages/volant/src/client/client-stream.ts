/**
 * One call on the client, from start to status: what the user gave, the attempts, the end. Owns the ending: whatever the
 * network does, the call settles once, with one status, and lets go of everything it held. The attempt under way is in
 * `attempt.ts`; the surfaces of the kinds are in `unary-call.ts` and `streaming-calls.ts`. gRFC A6.
 *
 * Nothing that user code throws leaves through here: the connection serves other calls too.
 */

import { findMetadataFault } from "../grpc/metadata-codec.ts";
import type { ServerCall } from "../rpc/call.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { ErrorCode, type HeaderField } from "../transport/http2.ts";
import { monotonicMs } from "../transport/time.ts";
import { timerWheel } from "../transport/timer-wheel.ts";
import { Attempt, type Progress } from "./attempt.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import {
  type CallOptions,
  callDeadline,
  callEncoding,
  checkCallOptions,
  NO_OPTIONS,
  parentOf,
} from "./call-options.ts";
import type { Channel } from "./channel.ts";
import type { ClientConnection } from "./client-connection.ts";
import { checkSignal, watchForeignSignal } from "./foreign-signal.ts";
import { deadlinePassed, nameCall, refusalOf } from "./local-failure.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import type { PendingCall } from "./pending-calls.ts";
import { CallRetries, mayRepeat } from "./retry-policy.ts";

/** The surface of a kind, as its stream sees it. */
export interface CallSurface {
  /** The HTTP/2 stream is open: the request can be sent through `stream`, behind what an attempt before has sent. */
  onStarted(stream: ClientStream): void;
  /** The attempt came to nothing; `onStarted` comes again, unless the call ends before. */
  onAttemptLost(): void;
  /** One response message that took `cost` octets of window; they are owed to `stream.taken`. */
  onMessage(message: unknown, cost: number): void;
  /** The call is over; called once, last. `isAbandoned`: by this side, which does not want what has arrived either. */
  onEnded(status: Status, isAbandoned: boolean): void;
}

export class ClientStream extends Attempt implements PendingCall {
  readonly waitForReady: boolean;
  private readonly options: CallOptions;
  private readonly surface: CallSurface;
  private readonly metadata: Metadata | undefined;
  private readonly parent: ServerCall | undefined;
  private readonly startedMs: number;
  /** Made only where interceptors look at calls. */
  private hooked: OutgoingCall | undefined = undefined;
  /** Made when an attempt fails and there is a policy for it. */
  private retries: CallRetries | undefined = undefined;
  private refusedBefore = false;
  private begunBefore = false;
  /** End listening to signals that are not this realm's. */
  private foreignStops: (() => void)[] | undefined = undefined;

  /** Throws for illegal options; everything later is a status. */
  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, surface: CallSurface) {
    super(channel, method);
    if (options !== NO_OPTIONS) checkCallOptions(options, method.definition);
    if (options.signal !== undefined) checkSignal(options.signal);
    this.options = options;
    this.surface = surface;
    this.waitForReady = options.waitForReady ?? false;
    this.parent = parentOf(options);
    this.startedMs = monotonicMs();
    this.deadlineMs = callDeadline(options, this.parent, this.startedMs);
    this.encoding = callEncoding(options, channel.options.limits.compression);
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

  /** The only message; the stream is half-closed with it. Throws as `send` does. */
  sendLast(message: unknown): void {
    this.transmit(message, true);
  }

  halfClose(): void {
    if (this.ended || this.stream === undefined || this.stream.isLocalDone) return;
    this.outbound!.halfClose();
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
    const metadata = this.hooked === undefined ? this.metadata : this.hooked.metadata;
    if (!this.open(connection, metadata, this.retries === undefined ? 0 : this.retries.failures)) return;
    this.surface.onStarted(this);
    this.begunBefore = true;
  }

  failUnavailable(reason: string): void {
    const status = createRpcError("client", StatusCode.UNAVAILABLE, reason);
    this.onAttemptOver(status, ErrorCode.CANCEL, "unstarted", false);
  }

  failClosed(): void {
    this.abort(createRpcError("client", StatusCode.CANCELLED, "the channel is closed"));
  }

  // Attempt

  override onMessage(message: unknown, cost: number): void {
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

  protected override get observesTrailers(): boolean {
    return this.hooked !== undefined || this.options.onTrailers !== undefined;
  }

  protected override onResponseHeaders(fields: readonly HeaderField[]): void {
    const { onHeaders } = this.options;
    if (onHeaders === undefined) return;
    const fault = findMetadataFault(fields);
    if (fault !== undefined) this.onInboundFault(StatusCode.INTERNAL, fault);
    else this.tellMetadata(onHeaders, Metadata.fromWire(fields));
  }

  protected override onAttemptOver(status: Status, code: ErrorCode, progress: Progress, hasTrailers: boolean): void {
    if (this.ended) return;
    if (progress !== "committed" && this.tryAgain(status, code, progress)) return;
    if (status.code === StatusCode.OK) this.channel.retryThrottle?.onSuccess();
    this.finish(status, code, false, hasTrailers);
  }

  /** The deadline. */
  override onTimer(): void {
    this.finish(deadlinePassed(), ErrorCode.CANCEL, true);
  }

  /** The `abort` event of the caller's signal or of the parent's; an object costs no closure per call. */
  handleEvent({ currentTarget }: Event): void {
    if (currentTarget !== null && currentTarget === this.parent?.signal) this.onParentEnded();
    else this.onSignal();
  }

  // The next attempt

  /** False where this was the last attempt. */
  private tryAgain(status: Status, code: ErrorCode, progress: Progress): boolean {
    if (this.log?.isOpen === false) return false;
    const isTransparent = progress === "unwritten" || (progress === "refused" && !this.refusedBefore);
    const delayMs = isTransparent ? 0 : this.retryDelay(status, progress);
    if (delayMs === undefined) return false;
    if (progress === "refused") this.refusedBefore = true;
    this.letGo(code);
    this.surface.onAttemptLost();
    // gRFC A6 "Transparent Retries": at once, and on no account of the policy.
    if (isTransparent) this.channel.start(this);
    else this.channel.postpone(this, delayMs);
    return true;
  }

  /** Undefined where the policy has no further attempt, or the deadline leaves no time for it. */
  private retryDelay(status: Status, progress: Progress): number | undefined {
    const { retry } = this.channel.options;
    if (retry === undefined) return undefined;
    if (progress === "unknown" && !mayRepeat(retry, this.method.definition, this.options.idempotent)) return undefined;
    this.retries ??= new CallRetries(retry, this.channel.retryThrottle);
    const delayMs = this.retries.delayAfter(status, Math.random());
    return delayMs === undefined || monotonicMs() + delayMs >= this.deadlineMs ? undefined : delayMs;
  }

  // The end

  /** `code` tells the server to stop, where the stream is still open. */
  private finish(status: Status, code: ErrorCode, isAbandoned: boolean, hasTrailers = false): void {
    if (this.ended) return;
    this.ended = true;
    if (status.code !== StatusCode.OK) nameCall(status, this.method.definition);
    const { options, parent } = this;
    if (this.slot >= 0) timerWheel.disarm(this);
    if (options.signal !== undefined) this.unwatch(options.signal);
    if (parent !== undefined) this.unwatch(parent.signal);
    if (this.foreignStops !== undefined) for (const stop of this.foreignStops) stop();
    this.log?.close();
    if (this.stream === undefined) this.channel.forget(this);
    else this.letGo(code);
    if (hasTrailers && options.onTrailers !== undefined) this.tellMetadata(options.onTrailers, status.metadata);
    this.surface.onEnded(status, isAbandoned);
    if (this.hooked !== undefined) this.tellEnd(this.hooked, status);
  }

  private tellEnd(hooked: OutgoingCall, status: Status): void {
    hooked.tellEnd({
      status,
      durationMs: monotonicMs() - this.startedMs,
      messagesSent: this.outbound?.messagesSent ?? 0,
      messagesReceived: this.messagesReceived,
    });
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
      // The one message of a call is sent with each attempt, and is still one.
      if (onRequest !== undefined && !this.ended && !(isLast && this.begunBefore)) onRequest(message, this.hooked!);
      if (this.ended) return;
      if (isLast) this.outbound!.sendLast(message);
      else this.outbound!.send(message);
      this.log?.keep();
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
      else if (signal instanceof AbortSignal) signal.addEventListener("abort", this);
      else this.watchForeign(signal, () => this.onSignal());
    }
    if (this.parent !== undefined && !this.ended) {
      const parentSignal = this.parent.signal;
      if (parentSignal.aborted) this.onParentEnded();
      else if (parentSignal instanceof AbortSignal) parentSignal.addEventListener("abort", this);
      else this.watchForeign(parentSignal, () => this.onParentEnded());
    }
    return !this.ended;
  }

  private watchForeign(signal: AbortSignal, onAbort: () => void): void {
    this.foreignStops ??= [];
    this.foreignStops.push(watchForeignSignal(signal, onAbort));
  }

  private unwatch(signal: AbortSignal): void {
    if (signal instanceof AbortSignal) signal.removeEventListener("abort", this);
  }

  /** False where the call ended with it. */
  private watchDeadline(): boolean {
    if (this.deadlineMs === NO_DEADLINE) return true;
    if (this.deadlineMs <= monotonicMs()) this.onTimer();
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

  private tellMetadata(listener: (metadata: Metadata) => void, metadata: Metadata): void {
    try {
      listener(metadata);
    } catch (error) {
      this.channel.reportError(error, this.method.definition);
    }
  }
}
