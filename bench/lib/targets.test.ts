// Owns: verdicts, the table of targets and how rows are printed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable } from "./table.ts";
import { findTarget, judge, TARGETS, type Target } from "./targets.ts";

const ratio: Target = {
  scenario: "s",
  peer: "p",
  unit: "req/s",
  measure: "ratio",
  direction: "higher",
  must: 5,
  goal: 12,
};
const budget: Target = {
  scenario: "s",
  peer: "b",
  unit: "MB",
  measure: "value",
  direction: "lower",
  must: 50,
  goal: 20,
};

test("a ratio passes from its must on, in the direction that is better", () => {
  assert.equal(judge(ratio, { ours: 50, theirs: 10 }).pass, true);
  assert.equal(judge(ratio, { ours: 49, theirs: 10 }).pass, false);
  const lower: Target = { ...ratio, direction: "lower", must: 0.5 };
  assert.equal(judge(lower, { ours: 5, theirs: 10 }).pass, true);
  assert.equal(judge(lower, { ours: 6, theirs: 10 }).pass, false);
});

test("the median of paired ratios is judged, not the ratio of the medians", () => {
  const row = judge(ratio, { ours: 50, theirs: 10, ratio: 4.9 });
  assert.deepEqual([row.ratio, row.pass], [4.9, false]);
});

test("a budget judges our value alone and has no ratio", () => {
  const expected = { scenario: "s", peer: "b", ours: 50, theirs: null, unit: "MB", ratio: null, must: 50, goal: 20 };
  assert.deepEqual(judge(budget, { ours: 50 }), { ...expected, pass: true });
  assert.equal(judge(budget, { ours: 50.1 }).pass, false);
});

test("a row without a must always passes, a void row never does", () => {
  assert.equal(judge({ ...ratio, must: null }, { ours: 1, theirs: 10 }).pass, true);
  assert.equal(judge(ratio, { ours: 100, theirs: 10, void: "noise" }).pass, false);
});

test("a ratio target without the other side is a mistake of the scenario", () => {
  assert.throws(() => judge(ratio, { ours: 1 }), /judged by a ratio/);
  assert.throws(() => findTarget("s", "nobody"), /no row for s against nobody/);
});

test("targets are unique, and a goal is at least as hard as its must", () => {
  const keys = TARGETS.map(({ scenario, peer }) => `${scenario} ${peer}`);
  assert.equal(new Set(keys).size, keys.length);
  for (const { scenario, peer, direction, must, goal } of TARGETS)
    if (must !== null) assert.ok(direction === "higher" ? goal >= must : goal <= must, `${scenario} ${peer}`);
});

test("the table says PASS, SHORT, VOID and why, or MEASURED where nothing is judged", () => {
  const rows = [
    judge(ratio, { ours: 91_234.5, theirs: 10_000, spread: 0.04, repeated: 2, firstRatio: 8.9 }),
    judge(ratio, { ours: 1, theirs: 1 }),
    judge(budget, { ours: 12.34, void: "noise" }),
  ];
  const lines = formatTable(rows).split("\n");
  assert.match(lines[1] ?? "", /^PASS {3}s +p +91,235 +10,000 +req\/s +9\.12x +5 +12 +4 % +2 \(first 8\.90x\)$/);
  assert.match(lines[2] ?? "", /^SHORT /);
  assert.match(lines[3] ?? "", /^VOID +s +b +12\.3 +MB +50 +20$/);
  assert.equal(lines[4], "VOID s: noise");
  assert.match(formatTable([judge({ ...ratio, must: null }, { ours: 1, theirs: 1 })]), /^MEASURED /m);
});
