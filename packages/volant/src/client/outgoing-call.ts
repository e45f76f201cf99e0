/**
 * One call as client interceptors see it. Owns what `onCall` may change before anything is sent, and the end listeners.
 */

import { CallValues } from "../rpc/call-values.ts";
import { earliest, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { monotonicMs } from "../transport/time.ts";
import type { ClientCall, ClientCallEnd } from "./client-interceptor.ts";

type EndListener = (end: ClientCallEnd) => void;

export class OutgoingCall implements ClientCall {
  readonly method: MethodInfo;
  readonly metadata: Metadata;
  deadlineMs: number;
  private readonly onError: (error: unknown) => void;
  private readonly endListeners: EndListener[] = [];
  private isSealed = false;
  private end: ClientCallEnd | undefined = undefined;
  private callValues: CallValues | undefined = undefined;

  /** `onError` hears what end listeners throw. */
  constructor(
    method: MethodInfo,
    metadata: Metadata | undefined,
    deadlineMs: number,
    onError: (error: unknown) => void,
  ) {
    this.method = method;
    this.metadata = metadata ?? new Metadata();
    this.deadlineMs = deadlineMs;
    this.onError = onError;
  }

  get remainingMs(): number {
    return remainingMs(this.deadlineMs, monotonicMs());
  }

  get values(): CallValues {
    this.callValues ??= new CallValues();
    return this.callValues;
  }

  limitTimeout(timeoutMs: number): void {
    if (this.isSealed) throw new Error("limitTimeout works in onCall only: the deadline is with the server by now");
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs: ${timeoutMs} given, a number 0 or more is allowed`);
    this.deadlineMs = earliest(this.deadlineMs, monotonicMs() + timeoutMs);
  }

  onEnd(listener: EndListener): void {
    if (this.end === undefined) this.endListeners.push(listener);
    else this.tell(listener, this.end);
  }

  /** Every `onCall` has run. */
  seal(): void {
    this.isSealed = true;
  }

  /** To be called once. Innermost first: the interceptor that ran last sees the end first. */
  tellEnd(end: ClientCallEnd): void {
    this.end = end;
    for (let at = this.endListeners.length - 1; at >= 0; at--) this.tell(this.endListeners[at]!, end);
  }

  private tell(listener: EndListener, end: ClientCallEnd): void {
    try {
      listener(end);
    } catch (error) {
      this.onError(error);
    }
  }
}
