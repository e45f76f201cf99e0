import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MessageCodec } from "../rpc/method.ts";
import { BufferBudget } from "../stream/buffer-budget.ts";
import { ReplayLog } from "./replay-log.ts";

/** Messages are texts; "bad" cannot be encoded. */
const CODEC: MessageCodec<unknown, unknown> = {
  estimate: 64,
  decode: (bytes, start, end) => bytes.toString("latin1", start, end),
  encode(message) {
    if (message === "bad") throw new Error("bad");
    return Buffer.from(message as string, "latin1");
  },
  encodeInto(message, target, offset, limit) {
    const bytes = this.encode(message);
    if (bytes.length > limit) return -1;
    target.set(bytes, offset);
    return bytes.length;
  },
};

function logOf(callBytes: number, channelBytes = 1_000_000) {
  const budget = new BufferBudget(channelBytes);
  return { budget, log: new ReplayLog(CODEC, { callBytes, budget }) };
}

/** As a stream sends: into its output where there is room, else into a buffer. */
function send(log: ReplayLog, message: unknown, room = 1_000): string {
  const target = Buffer.alloc(1_010);
  const length = log.encodeInto(message, target, 5, room);
  const bytes = length < 0 ? log.encode(message) : target.subarray(5, 5 + length);
  return Buffer.from(bytes).toString("latin1");
}

function replayed(log: ReplayLog, room = 1_000): string[] {
  const texts: string[] = [];
  log.replay((encoded) => texts.push(send(log, encoded, room)));
  return texts;
}

test("what was sent comes back in order, by either way of encoding, as often as asked", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "binary-ascii", maxLength: 300 }), fc.nat(300))), (messages) => {
      const { log } = logOf(1_000_000);
      for (const [text, room] of messages) {
        assert.equal(send(log, text, room), text);
        log.keep();
      }
      const texts = messages.map(([text]) => text);
      assert.deepEqual(replayed(log), texts);
      assert.deepEqual(replayed(log, 10), texts);
    }),
  );
});

test("a message that was not sent is not kept", () => {
  const { log } = logOf(1_000);
  send(log, "a");
  log.keep();
  assert.throws(() => send(log, "bad"));
  send(log, "lost");
  send(log, "b");
  log.keep();
  assert.deepEqual(replayed(log), ["a", "b"]);
});

test("what is sent behind a replay is kept too", () => {
  const { log } = logOf(1_000);
  send(log, "a");
  log.keep();
  replayed(log);
  send(log, "b");
  log.keep();
  assert.deepEqual(replayed(log), ["a", "b"]);
});

test("exactly the limit is kept; an octet more closes the log and gives everything back", () => {
  const { log, budget } = logOf(2_000);
  send(log, "x".repeat(1_000));
  log.keep();
  send(log, "y".repeat(1_000));
  log.keep();
  assert.equal(log.isOpen, true);
  assert.equal(budget.usedBytes, 2_000);
  assert.equal(send(log, "z"), "z");
  log.keep();
  assert.equal(log.isOpen, false);
  assert.equal(budget.usedBytes, 0);
  assert.equal(send(log, "more"), "more");
});

test("calls share the budget of their channel: the one that finds none is not kept, the others are", () => {
  const { log, budget } = logOf(1_000_000, 1_500);
  const other = new ReplayLog(CODEC, { callBytes: 1_000_000, budget });
  send(log, "a");
  log.keep();
  send(other, "b");
  other.keep();
  assert.deepEqual([log.isOpen, other.isOpen], [true, false]);
  log.close();
  log.close();
  assert.equal(budget.usedBytes, 0);
});
