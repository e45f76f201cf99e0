// Owns: percentiles, the trimmed mean, and the interval of a statistic.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrapInterval, createRandom, median, percentile, trimmedMean } from "./statistics.ts";

test("a percentile is a value that was measured, the smallest that enough values do not exceed", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile([...hundred, 101], 0.99), 100);
  assert.equal(percentile(hundred, 1), 100);
  assert.equal(percentile(hundred, 0), 1);
});

test("the 99th percentile of few values is the largest of them", () => {
  assert.equal(percentile([3, 1, 2], 0.99), 3);
  assert.throws(() => percentile([], 0.99), RangeError);
});

test("the same seed draws the same numbers, all from zero to below one", () => {
  const [first, second, other] = [createRandom(7), createRandom(7), createRandom(8)];
  const numbers = Array.from({ length: 1_000 }, first);
  assert.deepEqual(Array.from({ length: 1_000 }, second), numbers);
  assert.notEqual(other(), numbers[0]);
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  assert.ok(Math.abs(numbers.reduce((sum, number) => sum + number) / numbers.length - 0.5) < 0.05);
});

test("a trimmed mean leaves out a fifth at either end", () => {
  assert.equal(trimmedMean([1, 2, 3, 4, 1_000]), 3);
  assert.equal(trimmedMean([5, 1]), 3);
  assert.equal(trimmedMean([10, 20, 30, 40], 0), 25);
  assert.throws(() => trimmedMean([]), RangeError);
});

test("an interval is the same for the same values, contains their statistic, and has no width where they agree", () => {
  const values = [0.98, 1.02, 1.01, 0.99, 1, 1.03, 0.97, 1, 1.01, 0.99, 1.02, 0.98, 1, 1.005, 0.995];
  for (const statistic of [median, trimmedMean]) {
    const interval = bootstrapInterval(values, statistic);
    assert.deepEqual(bootstrapInterval(values, statistic), interval);
    assert.ok(interval.low < statistic(values) && statistic(values) < interval.high);
    assert.ok(interval.low > 0.97 && interval.high < 1.03);
    assert.deepEqual(bootstrapInterval([2, 2, 2], statistic), { low: 2, high: 2 });
  }
  assert.throws(() => bootstrapInterval([], median), RangeError);
});

test("about 95 of 100 intervals contain the value that the measurements lie around", () => {
  const random = createRandom(42);
  // The sum of twelve is near enough to normal.
  const draw = (): number => 1 + 0.02 * (Array.from({ length: 12 }, random).reduce((sum, number) => sum + number) - 6);
  let covered = 0;
  for (let seed = 0; seed < 200; seed++) {
    const values = Array.from({ length: 15 }, draw);
    const { low, high } = bootstrapInterval(values, trimmedMean, { seed, resamples: 500 });
    if (low <= 1 && 1 <= high) covered++;
  }
  assert.ok(covered >= 175 && covered <= 199, `${covered} of 200`);
});
