// Owns: percentiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile } from "./statistics.ts";

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
