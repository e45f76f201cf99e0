/**
 * One call as client interceptors see it. Owns what `onCall` may change before anything is sent, and the end listeners.
 */
import { CallValues } from "../rpc/call-values.ts";
import { earliest, remainingMs } from "../rpc/deadline.ts";
import { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import type { ClientCall, ClientCallEnd } from "./client-interceptor.ts";

export class OutgoingCall implements ClientCall {
  readonly method: MethodInfo;
  readonly metadata: Metadata;
  deadlineMs: number;
  endListeners: ((end: ClientCallEnd) => void)[] = [];
  private callValues: CallValues | undefined = undefined;

  constructor(method: MethodInfo, metadata: Metadata | undefined, deadlineMs: number) {
    this.method = method;
    this.metadata = metadata ?? new Metadata();
    this.deadlineMs = deadlineMs;
  }

  get remainingMs(): number {
    return remainingMs(this.deadlineMs, performance.now());
  }

  get values(): CallValues {
    this.callValues ??= new CallValues();
    return this.callValues;
  }

  limitTimeout(timeoutMs: number): void {
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs: ${timeoutMs} given, a number 0 or more is allowed`);
    this.deadlineMs = earliest(this.deadlineMs, performance.now() + timeoutMs);
  }

  onEnd(listener: (end: ClientCallEnd) => void): void {
    this.endListeners.push(listener);
  }
}
