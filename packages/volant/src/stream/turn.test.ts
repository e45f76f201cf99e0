import assert from "node:assert/strict";
import { test } from "node:test";
import { flushIfLate } from "../transport/flush-queue.ts";
import { TurnClock } from "./turn.ts";

const SLICE_MS = 1;

function useUp(): void {
  const startedMs = performance.now();
  while (performance.now() - startedMs < SLICE_MS);
}

test("a slice is used up after a millisecond, and starts anew after waiting", () => {
  const clock = new TurnClock();
  useUp();
  assert.equal(clock.isUsedUp(), true);
  clock.restart();
  useUp();
  assert.equal(clock.isUsedUp(), true);
});

test("a chunk that came since the last look gives a new slice, once", () => {
  const clock = new TurnClock();
  const chunkMs = performance.now();
  flushIfLate(chunkMs);
  useUp();
  assert.equal(clock.isUsedUp(), false);
  assert.equal(clock.isUsedUp(), true);
});
