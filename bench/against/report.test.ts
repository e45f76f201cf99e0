// Owns: the verdict on a comparison with a revision.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AGAINST_SCENARIOS, readBaseline } from "./baseline.ts";
import type { Comparison } from "./compare.ts";
import { formatAgainst, judgeComparison, MIN_PAIRS } from "./report.ts";

const pair = { ours: 3, theirs: 3, ratio: 1, generatorLoad: 0.5 };
const pairs = Array.from({ length: MIN_PAIRS }, () => pair);

function comparison(low: number, high: number, ratio = (low + high) / 2): Comparison {
  return { pairs, ours: 3.1, theirs: 3, ratio, interval: { low, high }, generatorLoad: 0.5 };
}

test("the lower bound of the interval is judged, not the ratio", () => {
  assert.equal(judgeComparison("unary-server", "main", comparison(0.971, 1.01), 3).pass, true);
  assert.equal(judgeComparison("unary-server", "main", comparison(0.97, 1.01), 3).pass, false);
  assert.equal(judgeComparison("unary-server", "main", comparison(0.96, 1.2), 3).pass, false);
  assert.equal(judgeComparison("unary-server", "main", comparison(0.96, 1.2), 5).pass, true);
});

test("fewer than fifteen pairs are no verdict", () => {
  const few = { ...comparison(0.99, 1.01), pairs: pairs.slice(1) };
  const row = judgeComparison("unary-client", "main", few, 3);
  assert.equal(row.pass, false);
  assert.match(formatAgainst([row]), /^VOID {2}unary-client .*\nVOID unary-client: 14 pairs are too few/m);
});

test("the table has both times, the ratio, the interval and the bound", () => {
  const [, line] = formatAgainst([
    judgeComparison("unary-server", "baseline (bc4a68347)", comparison(0.991, 1.013, 1.004), 3),
  ]).split("\n");
  const cells = ["PASS", "unary-server", "baseline (bc4a68347)", "3.100", "3.000", "us/call", "1.004x"];
  assert.deepEqual(line?.split(/ {2,}/), [...cells, "-0.9 % to +1.3 %", "-3 %", "15"]);
});

test("bench/baseline.json names a commit and a loss that is allowed for each scenario", () => {
  const { revision, allowedLossPercent, note } = readBaseline();
  assert.match(revision, /^[0-9a-f]{40}$/);
  assert.deepEqual(Object.keys(allowedLossPercent), [...AGAINST_SCENARIOS]);
  assert.ok(note.length > 0);
});
