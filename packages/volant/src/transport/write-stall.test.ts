/** On the times that the wheel would give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timerWheel } from "./timer-wheel.ts";
import type { Wire } from "./wire.ts";
import { WriteStall } from "./write-stall.ts";

function setUp(t: { after(work: () => void): void }) {
  const wire = { unsentBytes: 100_000 };
  let stalls = 0;
  const watch = new WriteStall(wire as Wire, 30_000, () => stalls++);
  t.after(() => watch.stop());
  return { wire, watch, stalls: () => stalls };
}

test("a write of which nothing is taken for the whole limit is stalled, and not before", (t) => {
  const { watch, stalls } = setUp(t);
  watch.begin();
  watch.onTimer(15_000);
  assert.equal(stalls(), 0);
  assert.equal(watch.dueMs, 30_000);
  watch.onTimer(30_000);
  assert.equal(stalls(), 1);
});

test("an octet taken now and then keeps the connection", (t) => {
  const { wire, watch, stalls } = setUp(t);
  watch.begin();
  for (let look = 1; look <= 100; look++) {
    if (look % 2 === 0) wire.unsentBytes--;
    watch.onTimer(15_000 * look);
  }
  assert.equal(stalls(), 0);
});

test("a write that is over and one that follows it count as progress, whatever their sizes", (t) => {
  const { watch, stalls } = setUp(t);
  watch.begin();
  for (let look = 1; look <= 100; look++) {
    watch.onTimer(15_000 * look);
    watch.end();
    watch.begin();
  }
  assert.equal(stalls(), 0);
});

test("nothing is armed while no write waits, and a long stop of the process is one look only", (t) => {
  const { watch, stalls } = setUp(t);
  const before = timerWheel.size;
  watch.begin();
  assert.equal(timerWheel.size, before + 1);
  watch.onTimer(10_000_000);
  assert.equal(stalls(), 0);
  watch.end();
  timerWheel.disarm(watch);
  watch.onTimer(10_015_000);
  assert.equal(timerWheel.size, before);
  watch.begin();
  watch.stop();
  assert.equal(timerWheel.size, before);
});
