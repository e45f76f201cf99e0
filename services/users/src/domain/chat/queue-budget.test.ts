import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { QueueBudget } from "./queue-budget.ts";

const of = (group: string, member = `${group}:1`) => ({ group, member });

/** How many bytes the holder gets, asked for one by one. */
function fill(budget: QueueBudget, holder: { group: string; member: string }): number {
  let bytes = 0;
  while (budget.take(holder, 1)) bytes++;
  return bytes;
}

describe("what all chat queues may hold", () => {
  it("is at most a third for one connection that is alone", () => {
    const budget = new QueueBudget(900);
    assert.equal(fill(budget, of("a")), 300);
  });

  it("has room for a new address, however many connections others fill it from", () => {
    const budget = new QueueBudget(9000);
    for (let n = 0; n < 50; n++) fill(budget, of("a", `a:${n}`));
    assert.ok(budget.bytes <= 4500, `${budget.bytes} bytes`);
    assert.ok(fill(budget, of("b")) >= 1500);
    assert.ok(budget.bytes < 9000);
  });

  it("has room for a new connection of an address of which another holds its share", () => {
    const budget = new QueueBudget(9000);
    fill(budget, of("a", "a:1"));
    assert.ok(fill(budget, of("a", "a:2")) >= 1000);
  });

  it("takes all or nothing", () => {
    const budget = new QueueBudget(900);
    assert.ok(!budget.take(of("a"), 1000));
    assert.deepEqual([budget.bytes, budget.holders], [0, 0]);
    assert.ok(budget.take(of("a"), 300));
  });

  it("forgets who holds nothing", () => {
    const budget = new QueueBudget(1_000_000);
    for (let n = 0; n < 100; n++) assert.ok(budget.take(of(`g${n % 10}`, `m${n}`), 10));
    assert.equal(budget.holders, 100);
    for (let n = 0; n < 100; n++) budget.give(of(`g${n % 10}`, `m${n}`), 10);
    assert.deepEqual([budget.bytes, budget.holders], [0, 0]);
    assert.equal(fill(budget, of("a")), 333_333);
  });
});
