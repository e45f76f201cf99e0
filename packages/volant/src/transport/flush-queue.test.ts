import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flushable, flushAtEndOfTurn, flushIfLate } from "./flush-queue.ts";

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function connection(name: string, log: string[], then?: () => void): Flushable {
  return {
    flush() {
      log.push(name);
      then?.();
    },
  };
}

test("what is queued is flushed once, in order, at the end of the turn and not before", async () => {
  const log: string[] = [];
  flushAtEndOfTurn(connection("a", log));
  flushAtEndOfTurn(connection("b", log));
  assert.deepEqual(log, []);
  await Promise.resolve();
  assert.deepEqual(log, []);
  await endOfTurn();
  assert.deepEqual(log, ["a", "b"]);
  await endOfTurn();
  assert.deepEqual(log, ["a", "b"]);
});

test("what a flush queues is flushed in the next turn", async () => {
  const log: string[] = [];
  flushAtEndOfTurn(connection("a", log, () => flushAtEndOfTurn(connection("again", log))));
  await endOfTurn();
  assert.deepEqual(log, ["a"]);
  await endOfTurn();
  assert.deepEqual(log, ["a", "again"]);
});

test("a turn that takes longer than a millisecond is flushed before its next piece of work", async () => {
  const log: string[] = [];
  const nowMs = performance.now();
  flushAtEndOfTurn(connection("a", log));
  flushIfLate(nowMs);
  assert.deepEqual(log, []);
  flushIfLate(performance.now() + 1);
  assert.deepEqual(log, ["a"]);
  await endOfTurn();
  assert.deepEqual(log, ["a"]);
});

test("a flush that throws does not cost the others theirs", async () => {
  const log: string[] = [];
  const bad = connection("bad", log, () => {
    throw new Error("bad flush");
  });
  flushAtEndOfTurn(bad);
  flushAtEndOfTurn(connection("good", log));
  assert.throws(() => flushIfLate(performance.now() + 1), /bad flush/);
  assert.deepEqual(log, ["bad"]);
  await endOfTurn();
  assert.deepEqual(log, ["bad", "good"]);
});
