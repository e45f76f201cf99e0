/**
 * Giving the event loop back. A loop over messages that never has to wait would hold it for ever; `TurnClock` says when a
 * millisecond is used up, and `nextTurn` waits for the next one.
 *
 * Hot path: a loop that answers messages, one as each comes, has waited although nobody says so. It sees that a chunk came
 * meanwhile, and neither looks at the time nor gives a turn back that it has just got.
 */

import { taskStartedMs } from "../transport/flush-queue.ts";
import { monotonicMs, setImmediate } from "../transport/time.ts";

const SLICE_MS = 1;

export class TurnClock {
  private startedMs: number = monotonicMs();
  private taskMs: number = taskStartedMs();

  /** True when it is time to `await nextTurn()`. */
  isUsedUp(): boolean {
    const taskMs = taskStartedMs();
    if (taskMs === this.taskMs) return monotonicMs() - this.startedMs >= SLICE_MS;
    this.taskMs = taskMs;
    this.startedMs = taskMs;
    return false;
  }

  /** After waiting for anything: the slice starts anew. */
  restart(): void {
    this.startedMs = monotonicMs();
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
