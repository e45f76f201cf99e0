/**
 * Time that stands still for one test until the test moves it: deadlines, keepalive, backoff and connect timeouts of both
 * sides, and whatever the service itself asks of `Date`, `setTimeout` and `setInterval`. Owns the replacing of the clocks;
 * turns of the event loop stay real, so that connections in memory go on.
 */
import type { TestContext } from "node:test";
import { SystemClock, timerWheel } from "../transport/timer-wheel.ts";

export interface FakeClock {
  /** Milliseconds that the test has moved on so far. */
  readonly elapsedMs: number;
  /**
   * Moves on by `ms`, in steps, with turns of the event loop between; what became due has run when it resolves. Deadlines
   * have a resolution of 4 ms.
   */
  advance(ms: number): Promise<void>;
}

/** The resolution of the runtime's own timers. */
const STEP_MS = 4;
/** A longer way is gone in longer steps, but never past the shortest timeout that anybody sets for an answer. */
const FINE_STEPS = 500;
const LONGEST_STEP_MS = 1_000;
/** Enough for what a timer set off to cross a connection in memory and come back. */
const TURNS_PER_STEP = 10;

/** Before anything that takes time is made. Everything is put back when the test ends. */
export function useFakeClock(t: TestContext): FakeClock {
  // A timeout of whole steps from here is over on a step, and not behind the next one.
  const startMs = Math.ceil(performance.now() / STEP_MS) * STEP_MS;
  let elapsedMs = 0;
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.now() });
  const now = t.mock.method(performance, "now", () => startMs + elapsedMs);
  // Its Node timer is one of the real ones, and time goes back when the test ends.
  const systemClock = timerWheel.replaceClock(new SystemClock());
  t.after(() => {
    t.mock.timers.reset();
    now.mock.restore();
    timerWheel.replaceClock(systemClock);
  });
  const step = async (ms: number): Promise<void> => {
    elapsedMs += ms;
    t.mock.timers.tick(ms);
    await turns();
  };
  return {
    get elapsedMs() {
      return elapsedMs;
    },
    async advance(ms: number): Promise<void> {
      const stepMs = Math.min(LONGEST_STEP_MS, Math.max(STEP_MS, Math.ceil(ms / FINE_STEPS)));
      // What was asked for in this turn is under way before time moves.
      await turns();
      for (let left = ms; left > 0; left -= stepMs) await step(Math.min(stepMs, left));
    },
  };
}

async function turns(): Promise<void> {
  for (let left = TURNS_PER_STEP; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}
