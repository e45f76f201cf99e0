import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BufferBudget, SharedBudget } from "./buffer-budget.ts";

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
  const budget = new SharedBudget(0);
  const share = budget.join("192.0.2.1");
  assert.deepEqual([budget.tryAcquire(1), budget.tryAcquire(0)], [false, true]);
  assert.deepEqual([share.tryAcquire(1, 0), share.tryAcquire(0, 0)], [false, true]);
});

test("a peer alone gets half, two a third each, and who has nothing is always let in", () => {
  const budget = new SharedBudget(900);
  const take = (peer: string): number => {
    const share = budget.join(peer);
    let taken = 0;
    while (share.tryAcquire(1, 0)) taken++;
    return taken;
  };
  assert.deepEqual([take("192.0.2.1"), take("192.0.2.2"), take("192.0.2.3")], [450, 225, 113]);
  const [first, second] = [new SharedBudget(900), new SharedBudget(900).join("192.0.2.1")];
  const pair = [first.join("192.0.2.1"), first.join("192.0.2.2")];
  while (pair.map((share) => share.tryAcquire(1, 0)).some(Boolean));
  assert.deepEqual([first.usedBytes, second.tryAcquire(450, 0)], [600, true]);
});

test("what a stream has does not speak against it: alone it may have everything", () => {
  const share = new SharedBudget(100).join("192.0.2.1");
  for (let held = 0; held < 100; held += 10) assert.equal(share.tryAcquire(10, held), true);
  assert.equal(share.tryAcquire(1, 100), false);
});

test("connections of one peer share, and a share is forgotten once nothing is connected or held", () => {
  const budget = new SharedBudget(100);
  const share = budget.join("192.0.2.1");
  assert.equal(budget.join("192.0.2.1"), share);
  assert.notEqual(budget.join("192.0.2.2"), share);
  share.tryAcquire(10, 0);
  share.tryPromise(10);
  share.leave();
  share.leave();
  assert.equal(budget.peerCount, 2);
  share.release(10);
  assert.equal(budget.peerCount, 2);
  share.settlePromise(10);
  assert.deepEqual([budget.peerCount, budget.usedBytes, budget.promised.usedBytes], [1, 0, 0]);
});

test("a share that acquires after its last connection does not take the place of its successor", () => {
  const budget = new SharedBudget(100);
  const gone = budget.join("192.0.2.1");
  gone.leave();
  const successor = budget.join("192.0.2.1");
  assert.equal(gone.tryAcquire(10, 0), true);
  gone.release(10);
  assert.equal(budget.join("192.0.2.1"), successor);
});

test("whatever peers acquire and release, the budget is the sum of what they hold and never exceeded", () => {
  const act = fc.record({ peer: fc.nat(3), bytes: fc.nat(400), isRelease: fc.boolean() });
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const budget = new SharedBudget(1_000);
      const shares = Array.from({ length: 4 }, (_, at) => budget.join(`${at}`));
      const held = [0, 0, 0, 0];
      for (const { peer, bytes, isRelease } of acts) {
        const most = Math.min(bytes, held[peer]!);
        if (isRelease) {
          shares[peer]!.release(most);
          held[peer]! -= most;
        } else if (shares[peer]!.tryAcquire(bytes, 0)) held[peer]! += bytes;
        const sum = held.reduce((total, each) => total + each, 0);
        assert.ok(budget.usedBytes === sum && sum <= 1_000, `${budget.usedBytes} of ${sum}`);
      }
    }),
  );
});
