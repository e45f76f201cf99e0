/**
 * Calls whose next attempt is due later. Owns their timers, which keep the process alive: somebody waits for the call, and
 * no connection holds it meanwhile.
 */
import { clearTimeout, setTimeout } from "../transport/time.ts";
import type { PendingCall } from "./pending-calls.ts";

export class PostponedCalls {
  private readonly timers = new Map<PendingCall, NodeJS.Timeout>();

  get size(): number {
    return this.timers.size;
  }

  /** `start` is called with it once, after `delayMs`. */
  add(call: PendingCall, delayMs: number, start: (call: PendingCall) => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(call);
      start(call);
    }, delayMs);
    this.timers.set(call, timer);
  }

  remove(call: PendingCall): void {
    const timer = this.timers.get(call);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.timers.delete(call);
  }

  failClosed(): void {
    for (const call of [...this.timers.keys()]) {
      this.remove(call);
      call.failClosed();
    }
  }
}
