import assert from "node:assert/strict";
import { test } from "node:test";
import { timerWheel } from "../transport/timer-wheel.ts";
import { OrphanShare } from "./orphan-share.ts";
import { type RunningHandler, RunningHandlers } from "./running-handlers.ts";

function setUp(maxOrphanedHandlers = 3) {
  const reports: string[] = [];
  const report = (error: Error): void => void reports.push(error.message);
  return { running: new RunningHandlers({ maxOrphanedHandlers, abandonedHandlerMs: 30_000, report }), reports };
}

const OF_ONE = new OrphanShare("192.0.2.1");

function handler(orphanShare = OF_ONE): RunningHandler {
  return { call: { method: { path: "/s/M" } }, orphanShare, orphan: undefined } as unknown as RunningHandler;
}

test("whoever waits goes on when the last handler has finished, or when waiting is given up", async () => {
  const { running } = setUp();
  await running.whenIdle();
  running.begin();
  running.begin();
  const order: string[] = [];
  const idle = running.whenIdle().then(() => order.push("idle"));
  running.end(handler());
  await Promise.resolve();
  order.push("one left");
  running.end(handler());
  await idle;
  assert.deepEqual(order, ["one left", "idle"]);
  running.begin();
  const givenUp = running.whenIdle();
  running.giveUp();
  await givenUp;
  assert.equal(running.size, 1);
});

test("whoever waits does not go on where the last to finish is followed by another at once", async () => {
  const { running } = setUp();
  running.begin();
  let isIdle = false;
  const idle = running.whenIdle().then(() => {
    isIdle = true;
  });
  running.end(handler());
  running.begin();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isIdle, false);
  running.end(handler());
  await idle;
});

test("a client with as many orphans as there are places left has no room, others have; that is reported once", () => {
  const { running, reports } = setUp(4);
  const [one, two] = [running.shares.join("192.0.2.1:5"), running.shares.join("[2001:db8::1]:5")];
  const mine = [handler(one), handler(one), handler(one)] as const;
  for (const _ of mine) running.begin();
  running.orphan(mine[0], 1_000);
  assert.equal(running.hasRoomFor(one), true);
  running.orphan(mine[1], 1_000);
  assert.deepEqual([running.hasRoomFor(one), running.hasRoomFor(two), running.orphanedSize], [false, true, 2]);
  running.end(mine[0]);
  assert.equal(running.hasRoomFor(one), true);
  running.orphan(mine[2], 2_000);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /^2 handlers still run .* 2 of them called by 192\.0\.2\.1: .* maxOrphanedHandlers/s);
  running.end(mine[1]);
  running.shares.leave(one);
  assert.equal(running.shares.size, 2, "one is kept for the orphan that is left");
  running.end(mine[2]);
  running.shares.leave(two);
  assert.deepEqual([running.size, running.orphanedSize, running.shares.size, timerWheel.size], [0, 0, 0, 0]);
});

test("connections of one address share its count, whatever their ports", () => {
  const { running } = setUp();
  const { shares } = running;
  assert.equal(shares.join("192.0.2.1:5"), shares.join("192.0.2.1:6"));
  assert.equal(shares.join("[2001:db8::1]:5"), shares.join("[2001:db8::2]:5"));
  assert.equal(shares.join("unix:/a"), shares.join("unix:/a"));
  assert.equal(shares.size, 3);
});

test("an orphan becomes abandoned at its age, the first one is reported, and its end takes it out of every count", () => {
  const { running, reports } = setUp(100);
  const [old, young] = [handler(), handler()];
  for (const [each, atMs] of [
    [old, 1_000],
    [young, 11_000],
  ] as const) {
    running.begin();
    running.orphan(each, atMs);
  }
  running.onTimer(31_000);
  assert.deepEqual([running.abandonedSize, running.orphanedSize], [1, 2]);
  assert.equal(running.dueMs, 41_000);
  running.onTimer(41_000);
  assert.equal(running.abandonedSize, 2);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /the handler of \/s\/M still runs 30000 ms after its call ended.*call\.signal/);
  running.end(old);
  running.end(young);
  assert.deepEqual([running.size, running.orphanedSize, running.abandonedSize], [0, 0, 0]);
});
