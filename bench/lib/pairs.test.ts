// Owns: the order of paired measurements, what is repeated, and what is void.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeGenerator, measurePairs } from "./pairs.ts";
import { findOutlier, median, spread } from "./statistics.ts";

const ignore = (): void => undefined;

/** Gives its values one after the other and notes that it was asked. */
function side(name: string, values: number[], trace: string[]) {
  return () => {
    trace.push(name);
    const value = values.shift();
    assert.ok(value !== undefined, `${name} was measured more often than expected`);
    return Promise.resolve({ value, generatorLoad: 0.5 });
  };
}

test("the median is the middle, or the mean of the two middle values", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 9, 100, 1]), 9.5);
  assert.throws(() => median([]), RangeError);
});

test("spread is the range over the median, and the outlier is farthest from it", () => {
  assert.equal(spread([8, 10, 12]), 0.4);
  assert.equal(findOutlier([10, 11, 3, 12]), 2);
});

test("sides are measured in turn, and the result is the median of the ratios", async () => {
  const trace: string[] = [];
  const ours = side("A", [100, 110, 105], trace);
  const result = await measurePairs(3, ours, side("B", [10, 10, 10], trace), ignore);
  assert.equal(trace.join(" "), "A B A B A B");
  assert.deepEqual([result.ours, result.theirs, result.ratio, result.repeated], [105, 10, 10.5, 0]);
  assert.ok(Math.abs(result.spread - 1 / 10.5) < 1e-9);
});

test("a wide spread repeats the pair farthest from the median", async () => {
  const result = await measurePairs(3, side("A", [100, 50, 105, 110], []), side("B", [10, 10, 10, 10], []), ignore);
  assert.deepEqual([result.repeated, result.firstRatio, result.ratio, result.ours], [1, 10, 10.5, 105]);
});

test("repeating ends, and the spread that is left is reported", async () => {
  const values = [10, 20, 30, 10, 20, 30];
  const result = await measurePairs(3, side("A", values, []), side("B", [1, 1, 1, 1, 1, 1], []), ignore);
  assert.equal(result.repeated, 3);
  assert.ok(result.spread > 0.25);
});

const QUIET = {
  ours: 1,
  theirs: 1,
  ratio: 1,
  spread: 0,
  repeated: 0,
  firstRatio: 1,
  generatorLoad: 0.85,
  theirGeneratorLoad: 0.85,
};

test("a generator near the limit of its core with theirs makes the row void", () => {
  assert.deepEqual(judgeGenerator(QUIET), {});
  assert.match(judgeGenerator({ ...QUIET, theirGeneratorLoad: 0.9 }).void ?? "", /90 % of its core with the peer/);
});

test("a generator near the limit of its core with ours makes our figure a lower bound, and the row still counts", () => {
  const { void: voidReason, lowerBound } = judgeGenerator({ ...QUIET, generatorLoad: 0.9 });
  assert.equal(voidReason, undefined);
  assert.match(lowerBound ?? "", /90 % of its core with ours/);
});
