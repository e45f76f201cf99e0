import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EarnedAllowance, RefillingBudget } from "./refilling-budget.ts";

test("a budget grows back at its rate, up to its burst, and its debt is bounded by that too", () => {
  const budget = new RefillingBudget(10, 5);
  assert.equal(budget.spend(10, 1_000), 0);
  assert.equal(budget.hasToken(1_100), false, "half a token is none");
  assert.equal(budget.hasToken(1_200), true);
  assert.equal(budget.spend(0, 1_000_000), 10);
  assert.equal(budget.spend(100, 1_000_000), -10);
  assert.equal(budget.isExhausted, true);
  assert.equal(budget.paidAtMs(1_000_000), 1_002_000);
});

test("a refund fills no further than the burst, and time that runs backwards gives nothing", () => {
  const budget = new RefillingBudget(10, 5);
  budget.refund(5);
  assert.equal(budget.spend(4, 1_000), 6);
  budget.refund(2);
  assert.equal(budget.spend(0, 500), 8);
});

test("a budget of Infinity never empties", () => {
  for (const budget of [
    new RefillingBudget(Number.POSITIVE_INFINITY, 1),
    new RefillingBudget(5, Number.POSITIVE_INFINITY),
  ]) {
    for (let nowMs = 1; nowMs < 100; nowMs++) assert.ok(budget.spend(5, nowMs) >= 0);
  }
});

test("what is paid for never exceeds the burst and what has grown back since", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.tuple(fc.nat(500), fc.boolean()), { maxLength: 100 }),
      (burst, perSecond, acts) => {
        const budget = new RefillingBudget(burst, perSecond);
        let nowMs = 0;
        let spent = 0;
        for (const [laterMs, isSpending] of acts) {
          nowMs += laterMs;
          if (!isSpending || !budget.hasToken(nowMs)) continue;
          budget.spend(1, nowMs);
          spent++;
        }
        assert.ok(spent <= burst + (perSecond * nowMs) / 1_000 + 1e-6, `${spent} in ${nowMs} ms`);
      },
    ),
  );
});

test("an allowance gives what was earned since, but never more at once than may be saved up", () => {
  const allowance = new EarnedAllowance(3);
  const takes = (earned: number): number => {
    let count = 0;
    while (allowance.take(earned)) count++;
    return count;
  };
  assert.equal(takes(2), 2);
  assert.equal(takes(2), 0);
  assert.equal(takes(4), 2);
  assert.equal(takes(1_000), 3);
  assert.equal(takes(1_000), 0);
});
