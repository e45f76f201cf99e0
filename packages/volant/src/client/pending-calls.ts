/**
 * Calls that wait for a connection or for room on one, first come first served. Owns their order; a call that ends while
 * it waits leaves without a frame having been sent.
 */
import { ChurningSet } from "../transport/churning-set.ts";
import type { ClientConnection } from "./client-connection.ts";

export interface PendingCall {
  readonly waitForReady: boolean;
  /** Starts on this connection; it has room for one more stream. */
  begin(connection: ClientConnection): void;
  /** There is no connection and the call does not wait for one. */
  failUnavailable(reason: string): void;
  failClosed(): void;
}

export class PendingCalls {
  private readonly calls = new ChurningSet<PendingCall>();

  get size(): number {
    return this.calls.size;
  }

  add(call: PendingCall): void {
    this.calls.add(call);
  }

  remove(call: PendingCall): void {
    this.calls.delete(call);
  }

  /** Starts as many as there is room for. */
  startOn(pick: () => ClientConnection | undefined): void {
    for (let call = this.calls.first; call !== undefined; call = this.calls.first) {
      const connection = pick();
      if (connection === undefined) return;
      this.calls.delete(call);
      call.begin(connection);
    }
  }

  /** Fails those that are there now and do not wait; what they do in answer is not undone. */
  failUnavailable(reason: string): void {
    for (const call of this.calls.values()) {
      if (call.waitForReady || !this.calls.delete(call)) continue;
      call.failUnavailable(reason);
    }
  }

  failClosed(): void {
    for (const call of this.calls.values()) if (this.calls.delete(call)) call.failClosed();
  }
}
