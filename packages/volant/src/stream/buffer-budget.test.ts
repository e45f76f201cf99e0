import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferBudget } from "./buffer-budget.ts";

test("the budget is granted up to its last octet, and no further", () => {
  const budget = new BufferBudget(100);
  assert.equal(budget.tryAcquire(60), true);
  assert.equal(budget.tryAcquire(41), false);
  assert.equal(budget.usedBytes, 60);
  assert.equal(budget.tryAcquire(40), true);
  budget.release(60);
  assert.equal(budget.usedBytes, 40);
  assert.equal(budget.tryAcquire(60), true);
});

test("a budget of nothing refuses everything but nothing", () => {
  const budget = new BufferBudget(0);
  assert.equal(budget.tryAcquire(1), false);
  assert.equal(budget.tryAcquire(0), true);
});
