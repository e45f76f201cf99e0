import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageQueue } from "./message-queue.ts";

function setUp() {
  const log = { taken: 0, returned: 0 };
  const queue = new MessageQueue(
    (cost) => {
      log.taken += cost;
    },
    () => {
      log.returned++;
    },
  );
  return { log, queue };
}

const DONE = { done: true, value: undefined };
const message = (value: unknown) => ({ done: false, value });

test("messages come in order; credit is owed when one is taken, not when it arrives", async () => {
  const { log, queue } = setUp();
  queue.push("a", 10);
  queue.push("b", 20);
  assert.equal(log.taken, 0);
  assert.deepEqual(await queue.next(), message("a"));
  assert.equal(log.taken, 10);
  assert.deepEqual(await queue.next(), message("b"));
  assert.equal(log.taken, 30);
});

test("a reader that waits gets the next message, several readers in their order", async () => {
  const { log, queue } = setUp();
  const first = queue.next();
  const second = queue.next();
  queue.push("a", 1);
  queue.push("b", 2);
  assert.deepEqual(await Promise.all([first, second]), [message("a"), message("b")]);
  assert.equal(log.taken, 3);
});

test("the end comes after what is queued, and stays", async () => {
  const { queue } = setUp();
  queue.push("a", 1);
  queue.end();
  assert.deepEqual(await queue.next(), message("a"));
  assert.deepEqual(await queue.next(), DONE);
  assert.deepEqual(await queue.next(), DONE);
});

test("an end wakes every reader", async () => {
  const { queue } = setUp();
  const waiting = [queue.next(), queue.next()];
  queue.end();
  assert.deepEqual(await Promise.all(waiting), [DONE, DONE]);
});

test("a failure drops what is queued and gives its credit back, and is told once", async () => {
  const { log, queue } = setUp();
  queue.push("a", 5);
  queue.fail(new Error("reset"));
  assert.equal(log.taken, 5);
  await assert.rejects(queue.next(), /reset/);
  assert.deepEqual(await queue.next(), DONE);
});

test("a failure may come after what is queued", async () => {
  const { queue } = setUp();
  queue.push("a", 5);
  queue.fail(new Error("late"), true);
  assert.deepEqual(await queue.next(), message("a"));
  await assert.rejects(queue.next(), /late/);
});

test("a failure overrides an end that the reader was not told of, and drops what is queued", async () => {
  const { log, queue } = setUp();
  queue.push("a", 5);
  queue.end();
  queue.fail(new Error("cancelled"));
  assert.equal(log.taken, 5);
  await assert.rejects(queue.next(), /cancelled/);
  assert.deepEqual(await queue.next(), DONE);
});

test("a reader that was told of the end hears of no failure behind it", async () => {
  for (const isWaiting of [true, false]) {
    const { queue } = setUp();
    const waiting = isWaiting ? queue.next() : undefined;
    queue.end();
    assert.deepEqual(await (waiting ?? queue.next()), DONE);
    queue.fail(new Error("late"));
    assert.deepEqual(await queue.next(), DONE);
  }
});

test("a reader that waits hears of the failure, and nobody hears of it again", async () => {
  const { queue } = setUp();
  const waiting = queue.next();
  queue.fail(new Error("reset"));
  await assert.rejects(waiting, /reset/);
  assert.deepEqual(await queue.next(), DONE);
});

test("a failure that nobody reads is no unhandled rejection", async () => {
  const { queue } = setUp();
  queue.fail(new Error("nobody cares"));
  await new Promise((resolve) => setImmediate(resolve));
});

test("leaving drops the queue, tells the owner once, and what comes later is given back", async () => {
  const { log, queue } = setUp();
  queue.push("a", 5);
  assert.deepEqual(await queue.return(), DONE);
  assert.deepEqual(await queue.return(), DONE);
  assert.equal(log.returned, 1);
  queue.push("b", 7);
  assert.equal(log.taken, 12);
  assert.deepEqual(await queue.next(), DONE);
});

test("leaving is told before credit is given back, or that would bring more messages for nobody", async () => {
  const log: string[] = [];
  const queue = new MessageQueue(
    (cost) => log.push(`taken ${cost}`),
    () => log.push("returned"),
  );
  queue.push("a", 5);
  await queue.return();
  assert.deepEqual(log, ["returned", "taken 5"]);
});

test("leaving after the end or a failure tells nobody", async () => {
  const ended = setUp();
  ended.queue.end();
  await ended.queue.return();
  const failed = setUp();
  failed.queue.fail(new Error("reset"));
  await failed.queue.return();
  assert.deepEqual([ended.log.returned, failed.log.returned], [0, 0]);
  assert.deepEqual(await failed.queue.next(), DONE);
});

test("a for await that breaks leaves the queue", async () => {
  const { log, queue } = setUp();
  queue.push("a", 1);
  queue.push("b", 1);
  for await (const value of queue) {
    assert.equal(value, "a");
    break;
  }
  assert.equal(log.returned, 1);
  assert.equal(log.taken, 2);
});

test("a reader that is always one message behind leaves no trail", async () => {
  const { queue } = setUp();
  queue.push(0, 1);
  for (let at = 1; at <= 10_000; at++) {
    queue.push(at, 1);
    assert.deepEqual(await queue.next(), message(at - 1));
  }
  const { messages, costs } = queue as unknown as { messages: unknown[]; costs: number[] };
  assert.ok(messages.length <= 256 && costs.length <= 256, `${messages.length} places for one message`);
});

test("whatever is pushed and taken, order holds and every octet is given back once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 400 }), async (acts) => {
      const { log, queue } = setUp();
      const expected: number[] = [];
      const results: Promise<unknown>[] = [];
      let pushed = 0;
      for (const isPush of acts) {
        if (isPush) queue.push(pushed++, 3);
        else {
          expected.push(expected.length);
          results.push(queue.next().then(({ value }) => value));
        }
      }
      queue.end();
      const got = await Promise.all(results);
      assert.deepEqual(
        got,
        expected.map((at) => (at < pushed ? at : undefined)),
      );
      await queue.return();
      assert.equal(log.taken, pushed * 3);
    }),
  );
});
