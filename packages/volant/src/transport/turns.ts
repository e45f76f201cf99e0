/** The turns of this thread's event loop: the one scheduler that every connection of it asks, of servers and channels alike. */

import { atEndOfTurn, flushAll } from "./flush-queue.ts";
import { monotonicMs } from "./time.ts";
import { TurnScheduler } from "./turn-scheduler.ts";

export const threadTurns: TurnScheduler = new TurnScheduler({
  nowMs: () => monotonicMs(),
  atEndOfTurn,
  // Node runs all that are queued in one turn of the loop, with the promises of each behind it, and what they add in the next.
  soon: setImmediate,
  stepsDone: flushAll,
});
