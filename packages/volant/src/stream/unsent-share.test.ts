import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError, StatusCode } from "../index.ts";
import { SharedBudget } from "./buffer-budget.ts";
import { UnsentShare } from "./unsent-share.ts";

test("a message is let in while its peer has no more than it leaves to others, and refused with the option's name after", () => {
  let refused = 0;
  const budget = new SharedBudget(1_000);
  const share = new UnsentShare(budget, "192.0.2.1", () => void refused++);
  for (let count = 0; count < 5; count++) {
    share.require(100, 0);
    share.change(100);
  }
  assert.throws(
    () => share.require(101, 0),
    (error) =>
      error instanceof RpcError &&
      error.code === StatusCode.RESOURCE_EXHAUSTED &&
      /101 bytes .* maxUnsentBytes is 1000/.test(error.message),
  );
  assert.equal(refused, 1);
  share.change(-500);
  share.leave();
  assert.deepEqual([budget.usedBytes, budget.peerCount], [0, 0]);
});

test("writers shall wait with one message each once half of what a peer may have is in use", () => {
  const budget = new SharedBudget(900);
  const share = new UnsentShare(budget, "192.0.2.1", () => undefined);
  assert.deepEqual([share.change(300), share.change(1), share.change(-1)], [false, true, false]);
  const other = new UnsentShare(budget, "192.0.2.2", () => undefined);
  assert.deepEqual([other.change(200), other.change(1)], [false, true]);
});

test("with Infinity everything is let in, and a message alone may be as large as all of it", () => {
  const free = new UnsentShare(new SharedBudget(Number.POSITIVE_INFINITY), "192.0.2.1", () => assert.fail("refused"));
  free.require(2 ** 40, 0);
  assert.equal(free.change(2 ** 40), false);
  const small = new UnsentShare(new SharedBudget(1_000), "192.0.2.1", () => undefined);
  small.require(1_000, 0);
  assert.throws(() => small.require(1_001, 0), RpcError);
});
