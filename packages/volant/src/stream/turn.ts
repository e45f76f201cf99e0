/**
 * Giving the event loop back. A loop over messages that never has to wait would hold it for ever; `TurnClock` says when a
 * millisecond is used up, and `nextTurn` waits for the next one.
 */

const SLICE_MS = 1;
/** The clock is read once in so many messages. */
const CHECK_EVERY = 16;

export class TurnClock {
  private startedMs = 0;
  private sinceCheck = 0;

  /** True when it is time to `await nextTurn()`. */
  isUsedUp(): boolean {
    if (++this.sinceCheck < CHECK_EVERY) return false;
    this.sinceCheck = 0;
    const nowMs = performance.now();
    if (nowMs - this.startedMs < SLICE_MS) return false;
    const used = this.startedMs !== 0;
    this.startedMs = nowMs;
    return used;
  }

  /** After waiting for anything: the slice starts anew. */
  restart(): void {
    this.startedMs = performance.now();
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
