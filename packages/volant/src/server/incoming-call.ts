/**
 * One call as its handler sees it. Owns what is made only when somebody asks: metadata, signal, values, end listeners. The
 * hot path touches none of them.
 */

import { requireEncoding } from "../compression/encodings.ts";
import { type CompressionName, IDENTITY } from "../grpc/message-encoding.ts";
import type { AmbientCall } from "../rpc/ambient.ts";
import type { CallEnd } from "../rpc/call.ts";
import { CallValues } from "../rpc/call-values.ts";
import { NO_DEADLINE, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import type { Peer } from "../rpc/peer.ts";
import { isThenable } from "../stream/pump.ts";
import type { HeaderField } from "../transport/http2.ts";
import { monotonicMs } from "../transport/time.ts";
import { halfClosesToCancel } from "./request-ends.ts";
import { acceptsEncoding } from "./request-head.ts";
import { ResponseHeaders } from "./response-headers.ts";

export type EndListener = (end: CallEnd) => void;

/** What the call asks of its stream. */
export interface CallStream {
  /** Sends response headers now, if they are not out yet. */
  sendHeadersNow(): void;
  readonly headersSent: boolean;
  /** Ends the call now; see `ServerCall.cancel`. */
  cancel(error: unknown): void;
  /** How the call ended; undefined while it has not. */
  describeEnd(): CallEnd | undefined;
  /** The handler, or the `onCall` in front of it, is waited for. */
  readonly isRunning: boolean;
  /** Reports an error that no client will see. Never throws. */
  reportError(error: unknown): void;
}

export class IncomingCall implements AmbientCall {
  readonly method: MethodInfo;
  readonly peer: Peer;
  /** On the scale of `performance.now()`. */
  readonly deadlineMs: number;
  /** Set while the handler changed them. */
  ownHeaders: Metadata | undefined = undefined;
  ownTrailers: Metadata | undefined = undefined;
  /** The encoding that messages shall have; `undefined` is identity. */
  wantedEncoding: CompressionName | undefined = undefined;
  endListeners: EndListener[] | undefined = undefined;
  private readonly stream: CallStream;
  private readonly fields: readonly HeaderField[];
  private received: Metadata | undefined = undefined;
  private controller: AbortController | undefined = undefined;
  private abortReason: string | undefined = undefined;
  private callValues: CallValues | undefined = undefined;

  constructor(method: MethodInfo, peer: Peer, stream: CallStream, fields: readonly HeaderField[], deadlineMs: number) {
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
    this.ownHeaders ??= new ResponseHeaders(() => this.stream.headersSent);
    return this.ownHeaders;
  }

  get trailers(): Metadata {
    this.ownTrailers ??= new Metadata();
    return this.ownTrailers;
  }

  get compression(): CompressionName {
    return this.wantedEncoding ?? IDENTITY;
  }

  set compression(name: CompressionName) {
    const encoding = requireEncoding("call.compression", name);
    if (this.stream.headersSent) {
      throw new TypeError("the headers of this call are sent; set its compression before the first message");
    }
    this.wantedEncoding = encoding?.name;
  }

  isEncodingAccepted(name: string): boolean {
    return acceptsEncoding(this.fields, name);
  }

  /** See `request-ends.ts`. */
  get halfClosesToCancel(): boolean {
    return halfClosesToCancel(this.fields);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      this.fireSignal();
    }
    return this.controller.signal;
  }

  get deadline(): Date | undefined {
    if (this.deadlineMs === NO_DEADLINE) return undefined;
    return new Date(Date.now() + (this.deadlineMs - monotonicMs()));
  }

  get remainingMs(): number {
    return this.deadlineMs === NO_DEADLINE ? this.deadlineMs : remainingMs(this.deadlineMs, monotonicMs());
  }

  get values(): CallValues {
    this.callValues ??= new CallValues();
    return this.callValues;
  }

  sendHeaders(): void {
    this.stream.sendHeadersNow();
  }

  cancel(error: unknown): void {
    this.stream.cancel(error);
  }

  onEnd(listener: EndListener): void {
    const end = this.stream.describeEnd();
    if (end !== undefined) this.tell(listener, end);
    else if (this.endListeners === undefined) this.endListeners = [listener];
    else this.endListeners.push(listener);
  }

  /** Innermost first: the interceptor that ran last sees the end first. */
  tellEnd(end: CallEnd): void {
    const listeners = this.endListeners ?? [];
    for (let at = listeners.length - 1; at >= 0; at--) this.tell(listeners[at]!, end);
  }

  get isOver(): boolean {
    return !this.stream.isRunning && this.stream.describeEnd() !== undefined;
  }

  /** True once the signal has fired, or would have. */
  get isAborted(): boolean {
    return this.abortReason !== undefined;
  }

  /** Somebody holds the signal. */
  get hasSignal(): boolean {
    return this.controller !== undefined;
  }

  /** The first reason stays. {@link fireSignal} tells those who wait. */
  markAborted(reason: string): void {
    this.abortReason ??= reason;
  }

  fireSignal(): void {
    if (this.abortReason === undefined || this.controller === undefined || this.controller.signal.aborted) return;
    this.controller.abort(new DOMException(this.abortReason, "AbortError"));
  }

  private tell(listener: EndListener, end: CallEnd): void {
    try {
      const result: unknown = listener(end);
      if (isThenable(result)) result.then(undefined, (error) => this.stream.reportError(error));
    } catch (error) {
      this.stream.reportError(error);
    }
  }
}
