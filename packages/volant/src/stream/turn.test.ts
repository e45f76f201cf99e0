import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { flushIfLate } from "../transport/flush-queue.ts";
import { monotonicMs, realTime, replaceTime } from "../transport/time.ts";
import { TurnClock } from "./turn.ts";

/** Time that moves only when the test says so. */
function useClock(t: TestContext): { pass(ms: number): void } {
  let nowMs = monotonicMs();
  const real = replaceTime({ ...realTime, monotonicMs: () => nowMs });
  t.after(() => replaceTime(real));
  return {
    pass(ms) {
      nowMs += ms;
    },
  };
}

test("a slice is used up after a millisecond, and starts anew after waiting", (t) => {
  const time = useClock(t);
  const clock = new TurnClock();
  time.pass(0.9);
  assert.equal(clock.isUsedUp(), false);
  time.pass(0.2);
  assert.equal(clock.isUsedUp(), true);
  clock.restart();
  assert.equal(clock.isUsedUp(), false);
  time.pass(1.1);
  assert.equal(clock.isUsedUp(), true);
});

test("a chunk that came since the last look gives a new slice, once", (t) => {
  const time = useClock(t);
  const clock = new TurnClock();
  time.pass(0.5);
  flushIfLate(monotonicMs());
  time.pass(1.1);
  assert.equal(clock.isUsedUp(), false);
  assert.equal(clock.isUsedUp(), true);
});
