import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_READ_BYTES, ReadPace } from "./read-pace.ts";

test("pieces that cost little become large, those that cost much small again", () => {
  const pace = new ReadPace();
  const first = pace.bytes;
  const sizes = [0.2, 0.2, 0.05, 0.05].map((tookMs) => {
    pace.onPiece(pace.bytes, tookMs);
    return pace.bytes;
  });
  assert.deepEqual(sizes, [2 * first, 4 * first, 16 * first, MAX_READ_BYTES]);
  pace.onPiece(pace.bytes, 0.7);
  assert.equal(pace.bytes, MAX_READ_BYTES, "neither little nor much");
  pace.onPiece(pace.bytes, 2);
  assert.equal(pace.bytes, MAX_READ_BYTES / 4);
});

test("a stop of the whole process makes pieces an eighth, and handlers that always take long make them a few calls", () => {
  const pace = new ReadPace();
  const first = pace.bytes;
  pace.onPiece(first, 5_000);
  assert.equal(pace.bytes, first / 8);
  for (let count = 0; count < 6; count++) pace.onPiece(pace.bytes, 50);
  assert.equal(pace.bytes, 256);
});

test("a piece that was not full makes the next one smaller where it took long, and never larger", () => {
  const pace = new ReadPace();
  const first = pace.bytes;
  pace.onPiece(first - 1, 0);
  assert.equal(pace.bytes, first);
  pace.onPiece(4_000, 2);
  assert.equal(pace.bytes, 1_000, "a quarter of what it was");
  pace.onPiece(30, 2);
  assert.equal(pace.bytes, 256, "one call that takes long");
});
