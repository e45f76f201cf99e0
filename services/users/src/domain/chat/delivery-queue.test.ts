import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoredMessage } from "../../storage/user-store.ts";
import { DeliveryQueue, type QueueLimits } from "./delivery-queue.ts";
import { QueueBudget } from "./queue-budget.ts";

function message(sequence: number, content = ""): StoredMessage {
  return { roomId: "r", sequence: BigInt(sequence), senderId: "s", content, sentAtMicros: 0n };
}

async function sequences(queue: DeliveryQueue): Promise<bigint[]> {
  const taken: bigint[] = [];
  for (let next = await queue.take(); next !== undefined; next = await queue.take()) taken.push(next.sequence);
  return taken;
}

const holder = { group: "g", member: "m" };

function queueOf(limits: QueueLimits, budget = new QueueBudget(1e9)): DeliveryQueue {
  return new DeliveryQueue(limits, budget, holder);
}

const roomy = { maxMessages: 100, maxBytes: 100_000 };

/** Resolves after everything that only waits for promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what waits for a reader of chat", () => {
  it("comes out in the order it went in, and ends after it", async () => {
    const queue = queueOf(roomy);
    for (const n of [1, 2, 3]) assert.ok(queue.offer(message(n)));
    queue.end();
    assert.deepEqual(await sequences(queue), [1n, 2n, 3n]);
  });

  it("goes straight to a reader that waits", async () => {
    const queue = queueOf({ maxMessages: 1, maxBytes: 1 });
    for (const n of [1, 2, 3]) {
      const taken = queue.take();
      assert.ok(queue.offer(message(n, "more than a byte")));
      assert.equal((await taken)?.sequence, BigInt(n));
    }
    assert.equal(queue.messages, 0);
  });

  it("is bounded in messages", () => {
    const queue = queueOf({ maxMessages: 2, maxBytes: 100_000 });
    assert.deepEqual(
      [1, 2, 3].map((n) => queue.offer(message(n))),
      [true, true, false],
    );
    assert.equal(queue.messages, 2);
  });

  it("is bounded in bytes, but holds one message of any size", () => {
    const queue = queueOf({ maxMessages: 100, maxBytes: 1000 });
    assert.ok(queue.offer(message(1, "é".repeat(5000))));
    assert.ok(!queue.offer(message(2)));
    assert.ok(queue.bytes > 10_000 && queue.bytes < 10_500);
  });

  it("has room again for what was taken", async () => {
    const queue = queueOf({ maxMessages: 1, maxBytes: 1000 });
    for (let n = 0; n < 50; n++) {
      assert.ok(queue.offer(message(n, "x".repeat(500))));
      await queue.take();
    }
    assert.equal(queue.bytes, 0);
  });

  it("takes several at once, or none where they do not fit", () => {
    const queue = queueOf({ maxMessages: 4, maxBytes: 1000 });
    assert.ok(queue.offerAll([message(1), message(2)]));
    assert.ok(!queue.offerAll([message(3), message(4), message(5)]));
    assert.ok(!queue.offerAll([message(3), message(4, "x".repeat(900))]));
    assert.equal(queue.messages, 2);
    assert.ok(queue.offerAll([message(3), message(4)]));
    assert.equal(queue.messages, 4);
  });

  it("tells when its reader has taken everything, and not before", async () => {
    const queue = queueOf(roomy);
    await queue.untilEmpty();
    queue.offerAll([message(1), message(2)]);
    let isEmpty = false;
    void queue.untilEmpty().then(() => (isEmpty = true));
    await queue.take();
    await settled();
    assert.ok(!isEmpty);
    await queue.take();
    await settled();
    assert.ok(isEmpty);
  });

  it("is dropped when the stream fails, which the reader learns once", async () => {
    const queue = queueOf(roomy);
    queue.offer(message(1));
    const waiting = queue.untilEmpty();
    queue.fail(new Error("cut"));
    await waiting;
    assert.equal(queue.messages, 0);
    assert.ok(queue.offer(message(2)), "a message for nobody is no overflow");
    await assert.rejects(queue.take(), /cut/);
    assert.equal(await queue.take(), undefined);
  });

  it("fails a reader that waits", async () => {
    const queue = queueOf(roomy);
    const taken = queue.take();
    queue.fail(new Error("cut"));
    await assert.rejects(taken, /cut/);
    assert.equal(await queue.take(), undefined);
  });

  it("is dropped when the reader leaves, and a waiting replay goes on to notice", async () => {
    const queue = queueOf({ maxMessages: 1, maxBytes: 1000 });
    queue.offer(message(1));
    const replay = queue.untilEmpty();
    queue.close();
    await replay;
    queue.fail(new Error("too late"));
    assert.equal(await queue.take(), undefined);
  });

  it("takes of the budget what waits, not what a reader that waits gets, and gives all of it back", async () => {
    const budget = new QueueBudget(100_000);
    const queue = queueOf(roomy, budget);
    const taken = queue.take();
    assert.ok(queue.offer(message(1, "x".repeat(1000))));
    assert.equal(budget.bytes, 0);
    await taken;
    assert.ok(queue.offerAll([message(2, "x".repeat(1000)), message(3), message(4)]));
    assert.equal(budget.bytes, queue.bytes);
    await queue.take();
    assert.equal(budget.bytes, queue.bytes);
    queue.close();
    assert.deepEqual([budget.bytes, budget.holders], [0, 0]);
    assert.ok(queue.offer(message(5)));
    assert.equal(budget.bytes, 0);
  });

  it("finds no room where the budget has none, also while it is empty", () => {
    const budget = new QueueBudget(10_000);
    const [first, second] = [queueOf(roomy, budget), queueOf(roomy, budget)];
    assert.ok(first.offer(message(1, "x".repeat(3000))));
    assert.ok(!second.offer(message(2, "x".repeat(3000))));
    assert.equal(second.messages, 0);
    first.fail(new Error("cut"));
    assert.ok(second.offer(message(2, "x".repeat(3000))));
  });
});
