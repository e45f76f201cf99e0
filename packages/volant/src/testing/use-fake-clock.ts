/**
 * Time that stands still for one test until the test moves it: deadlines, keepalive, backoff and connect timeouts of both
 * sides, and whatever the service itself asks of `Date`, `performance.now`, `setTimeout` and `setInterval`. Turns of the event
 * loop stay real, so that connections in memory go on. Owns the steps in which time moves, and when everything is put back.
 */
import { monotonicMs, setImmediate } from "../transport/time.ts";
import { SystemClock, timerWheel } from "../transport/timer-wheel.ts";
import { FakeTimers } from "./fake-timers.ts";

/**
 * Whatever tells when a test has ended: the context of `node:test` (`after`), the one of Vitest (`onTestFinished`). Jest has
 * none: leave it out there, and call `restore()` in `afterEach`.
 */
export interface TestScope {
  after?(work: () => void): void;
  onTestFinished?(work: () => void): void;
}

export interface FakeClock {
  /** Milliseconds that the test has moved on so far. */
  readonly elapsedMs: number;
  /**
   * Moves on by `ms`, in steps, with turns of the event loop between; what became due has run when it resolves. Deadlines
   * have a resolution of 4 ms.
   */
  advance(ms: number): Promise<void>;
  /** Puts everything back. The end of the test does so too, where `useFakeClock` was given the test's context. */
  restore(): void;
  [Symbol.dispose](): void;
}

/** The resolution of the runtime's own timers. */
const STEP_MS = 4;
/** A longer way is gone in longer steps, but never past the shortest timeout that anybody sets for an answer. */
const FINE_STEPS = 500;
const LONGEST_STEP_MS = 1_000;
/** Enough for what a timer set off to cross a connection in memory and come back. */
const TURNS_PER_STEP = 10;

const RESETS = "vi.useRealTimers(), jest.useRealTimers(), clock.restore() or mock.timers.reset()";
/** What they were when this was loaded: a test tool has replaced what is something else by now. */
const ownTimeout = globalThis.setTimeout;
let isFake = false;

/**
 * Before anything that takes time is made. `t` is the test's context: everything is put back when the test ends. Throws
 * where the timers are replaced already, by this function or by a test tool: two fakes would each wait for the other.
 *
 * @example
 * test("a report is given up after an hour", async (t) => {
 *   const clock = useFakeClock(t);
 *   const late = assert.rejects(reports.make({}, { timeoutMs: 3_600_000 }));
 *   await clock.advance(3_600_000);
 *   await late;
 * });
 */
export function useFakeClock(t?: TestScope): FakeClock {
  refuseOtherFakes();
  // A timeout of whole steps from here is over on a step, and not behind the next one.
  const startMs = Math.ceil(monotonicMs() / STEP_MS) * STEP_MS;
  const timers = new FakeTimers(startMs);
  isFake = true;
  // Its timer is one of the real ones, and time goes back when the test ends.
  const systemClock = timerWheel.replaceClock(new SystemClock());
  const restore = (): void => {
    if (!isFake) return;
    isFake = false;
    timers.restore();
    timerWheel.replaceClock(systemClock);
  };
  if (t?.after !== undefined) t.after(restore);
  else t?.onTestFinished?.(restore);
  return {
    get elapsedMs() {
      return timers.clock.nowMs - startMs;
    },
    async advance(ms: number): Promise<void> {
      const stepMs = Math.min(LONGEST_STEP_MS, Math.max(STEP_MS, Math.ceil(ms / FINE_STEPS)));
      // What was asked for in this turn is under way before time moves.
      await turns();
      for (let left = ms; left > 0; left -= stepMs) {
        timers.clock.advance(Math.min(stepMs, left));
        await turns();
      }
    },
    restore,
    [Symbol.dispose]: restore,
  };
}

function refuseOtherFakes(): void {
  if (isFake) throw new Error("useFakeClock: time stands still already; use the clock there is, or restore() it first");
  const timeout = globalThis.setTimeout as unknown as { readonly clock?: unknown; readonly _isMockFunction?: unknown };
  const isReplaced = globalThis.setTimeout !== ownTimeout || "clock" in timeout || timeout._isMockFunction === true;
  if (isReplaced) {
    throw new Error(
      `useFakeClock: setTimeout is replaced already, by the fake timers of a test tool; put the real ones back first: ${RESETS}`,
    );
  }
}

async function turns(): Promise<void> {
  for (let left = TURNS_PER_STEP; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}
