/**
 * Giving the event loop back. A loop over messages that never has to wait would hold it for ever; `TurnClock` says when a
 * millisecond is used up, and `nextTurn` waits for the next one.
 */

const SLICE_MS = 1;

export class TurnClock {
  private startedMs: number = performance.now();

  /** True when it is time to `await nextTurn()`. */
  isUsedUp(): boolean {
    return performance.now() - this.startedMs >= SLICE_MS;
  }

  /** After waiting for anything: the slice starts anew. */
  restart(): void {
    this.startedMs = performance.now();
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
