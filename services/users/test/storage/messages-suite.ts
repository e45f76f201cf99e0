/** Contract: the log of chat rooms. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { UnstorableValueError } from "../../src/storage/storage-error.ts";
import type { Suite } from "./contract.ts";

const TEN = { messages: 10, bytes: 1_000_000 };

export const messagesSuite: Suite = (storage) => {
  it("a room that nothing was said in has no messages and the sequence 0", async () => {
    assert.equal(await storage().messages.lastSequence("silent"), 0n);
    assert.deepEqual(await storage().messages.readAfter("silent", 0n, TEN), []);
    assert.equal(await storage().messages.lastSequence("\0"), 0n);
    assert.deepEqual(await storage().messages.readAfter("\0", 0n, TEN), []);
  });

  it("keeps messages as they were said, numbered from 1 in each room", async () => {
    const { messages } = storage();
    const first = await messages.append("lobby", "alice", "hello 🦊");
    const second = await messages.append("lobby", "bob", "");
    const elsewhere = await messages.append("attic", "alice", "boo");
    assert.deepEqual([first.sequence, second.sequence, elsewhere.sequence], [1n, 2n, 1n]);
    assert.deepEqual([first.roomId, first.senderId, first.content], ["lobby", "alice", "hello 🦊"]);
    assert.ok(second.sentAtMicros >= first.sentAtMicros);
    assert.deepEqual(await messages.readAfter("lobby", 0n, TEN), [first, second]);
    assert.equal(await messages.lastSequence("lobby"), 2n);
  });

  it("replays what came after a sequence, oldest first and at most as many as asked", async () => {
    const { messages } = storage();
    for (let i = 1; i <= 12; i++) await messages.append("r", "s", `m${i}`);
    const contents = async (after: bigint, limit: number): Promise<string[]> =>
      (await messages.readAfter("r", after, { messages: limit, bytes: 1_000_000 })).map(({ content }) => content);
    assert.deepEqual(await contents(9n, 10), ["m10", "m11", "m12"]);
    assert.deepEqual(await contents(2n, 3), ["m3", "m4", "m5"]);
    assert.deepEqual(await contents(12n, 3), []);
    assert.deepEqual(await contents(2n ** 64n - 1n, 3), []);
  });

  it("reads no more bytes of content than asked, and one message of any size", async () => {
    const { messages } = storage();
    for (const size of [10, 20, 5000, 10, 10]) await messages.append("r", "s", "é".repeat(size / 2));
    const sizes = async (after: bigint, bytes: number): Promise<number[]> =>
      (await messages.readAfter("r", after, { messages: 10, bytes })).map(({ content }) => Buffer.byteLength(content));
    assert.deepEqual(await sizes(0n, 30), [10, 20]);
    assert.deepEqual(await sizes(0n, 29), [10]);
    assert.deepEqual(await sizes(0n, 1), [10]);
    assert.deepEqual(await sizes(2n, 20), [5000]);
    assert.deepEqual(await sizes(2n, 5010), [5000, 10]);
    assert.deepEqual(await sizes(3n, 1000), [10, 10]);
  });

  it("sequences have no gap and no double under 200 concurrent appends to two rooms", async () => {
    const { messages } = storage();
    const appended = await Promise.all(
      Array.from({ length: 200 }, (_, i) => messages.append(i % 2 === 0 ? "even" : "odd", "s", String(i))),
    );
    for (const room of ["even", "odd"]) {
      const sequences = appended.filter(({ roomId }) => roomId === room).map(({ sequence }) => Number(sequence));
      assert.deepEqual(
        sequences.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
      const log = await messages.readAfter(room, 0n, { messages: 1000, bytes: 1_000_000 });
      const times = log.map(({ sentAtMicros }) => sentAtMicros);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      );
    }
  });

  it("a message that cannot be kept uses up no sequence", async () => {
    const { messages } = storage();
    await assert.rejects(messages.append("r", "s", "\0"), UnstorableValueError);
    await assert.rejects(messages.append("x".repeat(2000), "s", "m"), UnstorableValueError);
    assert.equal((await messages.append("r", "s", "m")).sequence, 1n);
  });
};
