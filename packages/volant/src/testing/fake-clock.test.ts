import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake-clock.ts";

test("tasks run in order of time, then of scheduling, and see the time they were due at", () => {
  const clock = new FakeClock(10);
  const seen: string[] = [];
  for (const [name, dueMs] of [
    ["late", 30],
    ["first", 20],
    ["second", 20],
    ["past", 5],
  ] as const) {
    clock.schedule(dueMs, () => seen.push(`${name}@${clock.nowMs}`));
  }
  clock.advance(15);
  assert.deepEqual(seen, ["past@10", "first@20", "second@20"]);
  assert.equal(clock.nowMs, 25);
  assert.equal(clock.runNext(), true);
  assert.deepEqual([seen.at(-1), clock.nowMs, clock.runNext()], ["late@30", 30, false]);
});

test("a task may schedule another within the same advance, and a cancelled one never runs", () => {
  const clock = new FakeClock();
  const seen: number[] = [];
  clock.schedule(5, () => clock.schedule(7, () => seen.push(clock.nowMs)));
  clock.cancel(clock.schedule(6, () => seen.push(-1)));
  clock.advance(10);
  assert.deepEqual(seen, [7]);
  assert.equal(clock.pendingTasks, 0);
});
