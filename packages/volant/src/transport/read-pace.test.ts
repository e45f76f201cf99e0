import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_READ_BYTES, ReadPace } from "./read-pace.ts";

test("reads that cost little become large, those that cost much small again", () => {
  const pace = new ReadPace();
  const first = pace.bytes;
  const sizes = [0.1, 0.1, 0.1, 0.1].map((tookMs) => {
    pace.onRead(pace.bytes, tookMs, 0);
    return pace.bytes;
  });
  assert.deepEqual(sizes, [2 * first, 4 * first, 8 * first, MAX_READ_BYTES]);
  pace.onRead(pace.bytes, 0.7, 0);
  assert.equal(pace.bytes, MAX_READ_BYTES, "neither little nor much");
  for (let count = 0; count < 6; count++) pace.onRead(pace.bytes, 2, 0);
  assert.equal(pace.bytes, first);
});

test("full reads in a row end the turn once they took a millisecond, and each turn begins anew", () => {
  const pace = new ReadPace();
  const turns = Array.from({ length: 6 }, () => pace.onRead(pace.bytes, 0.4, 0));
  assert.deepEqual(turns, [false, false, true, false, false, true]);
  assert.equal(pace.onRead(pace.bytes, 5, 0), true);
});

test("a read that leaves room took all there was: it changes nothing and begins a turn", () => {
  const pace = new ReadPace();
  const { bytes } = pace;
  pace.onRead(bytes, 0.9, 0);
  assert.equal(pace.onRead(bytes - 1, 50, 0), false);
  assert.equal(pace.bytes, bytes);
  assert.equal(pace.onRead(bytes, 0.9, 0), false);
  assert.equal(pace.onRead(bytes, 0.9, 0), true);
});

test("the more have given up their turn already, the shorter is that of the next", () => {
  const turnOf = (yieldingCount: number): number => {
    const pace = new ReadPace();
    for (let reads = 1; ; reads++) if (pace.onRead(pace.bytes, 0.125, yieldingCount)) return reads;
  };
  assert.deepEqual([0, 1, 3, 20].map(turnOf), [8, 4, 2, 1]);
});
