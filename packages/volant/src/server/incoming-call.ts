/**
 * One call as its handler sees it. Owns what is made only when somebody asks: metadata, signal, values, end listeners. The
 * hot path touches none of them.
 */
import type { HeaderField } from "../transport/http2.ts";
import type { CallEnd, ServerCall } from "../rpc/call.ts";
import { CallValues } from "../rpc/call-values.ts";
import { NO_DEADLINE, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import type { Peer } from "../rpc/peer.ts";

export type EndListener = (end: CallEnd) => void;

/** What the call asks of its stream. */
export interface CallStream {
  /** Sends response headers now, if they are not out yet. */
  sendHeadersNow(): void;
  readonly headersSent: boolean;
}

export class IncomingCall implements ServerCall {
  readonly method: MethodInfo;
  readonly peer: Peer;
  /** On the scale of `performance.now()`. */
  readonly deadlineMs: number;
  /** Set while the handler changed them. */
  ownHeaders: Metadata | undefined = undefined;
  ownTrailers: Metadata | undefined = undefined;
  endListeners: EndListener[] | undefined = undefined;
  private readonly stream: CallStream;
  private readonly fields: readonly HeaderField[];
  private received: Metadata | undefined = undefined;
  private controller: AbortController | undefined = undefined;
  private abortReason: unknown = undefined;
  private callValues: CallValues | undefined = undefined;

  constructor(
    method: MethodInfo,
    peer: Peer,
    stream: CallStream,
    fields: readonly HeaderField[],
    deadlineMs: number,
  ) {
    this.method = method;
    this.peer = peer;
    this.stream = stream;
    this.fields = fields;
    this.deadlineMs = deadlineMs;
  }

  get metadata(): Metadata {
    this.received ??= Metadata.fromWire(this.fields);
    return this.received;
  }

  get headers(): Metadata {
    if (this.stream.headersSent) throw new TypeError("the headers of this call are sent; change them before the first message");
    this.ownHeaders ??= new Metadata();
    return this.ownHeaders;
  }

  get trailers(): Metadata {
    this.ownTrailers ??= new Metadata();
    return this.ownTrailers;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get deadline(): Date | undefined {
    if (this.deadlineMs === NO_DEADLINE) return undefined;
    return new Date(Date.now() + (this.deadlineMs - performance.now()));
  }

  get remainingMs(): number {
    return this.deadlineMs === NO_DEADLINE ? this.deadlineMs : remainingMs(this.deadlineMs, performance.now());
  }

  get values(): CallValues {
    this.callValues ??= new CallValues();
    return this.callValues;
  }

  sendHeaders(): void {
    this.stream.sendHeadersNow();
  }

  onEnd(listener: EndListener): void {
    this.endListeners ??= [];
    this.endListeners.push(listener);
  }

  /** True once the signal has fired, or would have. */
  get isAborted(): boolean {
    return this.abortReason !== undefined;
  }

  abort(reason: unknown): void {
    if (this.abortReason !== undefined) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }
}
