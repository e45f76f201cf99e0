import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OutboundQueue } from "./outbound-queue.ts";

test("octets leave in the order they came, whatever the cuts", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 200 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 50 }),
      (chunks, takes) => {
        const queue = new OutboundQueue<never>();
        const target = Buffer.alloc(4_000);
        const whole = Buffer.concat(chunks);
        let moved = 0;
        for (const [index, chunk] of chunks.entries()) {
          queue.push(Buffer.from(chunk));
          moved += queue.moveTo(target, moved, takes[index % takes.length]!);
        }
        assert.equal(queue.bytes, whole.length - moved);
        moved += queue.moveTo(target, moved, 4_000);
        assert.equal(queue.isEmpty, true);
        assert.deepEqual(target.subarray(0, moved), whole);
      },
    ),
  );
});

test("what is held is what the chunks take, small or large, and nothing once all have left", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 40 }),
      (sizes, takes) => {
        const queue = new OutboundQueue<never>();
        const target = Buffer.alloc(30_000);
        for (const [index, size] of sizes.entries()) {
          queue.push(Buffer.allocUnsafeSlow(size));
          queue.moveTo(target, 0, takes[index % takes.length]!);
          assert.ok(queue.heldBytes >= queue.bytes, `${queue.heldBytes} held of ${queue.bytes}`);
        }
        while (queue.moveTo(target, 0, 30_000) > 0);
        assert.equal(queue.heldBytes, 0);
      },
    ),
  );
});

const chunksOf = (queue: OutboundQueue<never>): readonly Buffer[] =>
  (queue as unknown as { readonly chunks: readonly Buffer[] }).chunks;

test("ten thousand messages of six octets are a few buffers that weigh about as much", () => {
  const queue = new OutboundQueue<never>();
  for (let count = 0; count < 10_000; count++) queue.push(Buffer.alloc(6));
  assert.ok(chunksOf(queue).length <= 12, `${chunksOf(queue).length} chunks`);
  assert.ok(queue.heldBytes <= 2 * 60_000, `${queue.heldBytes} octets`);
});

test("neither the rest of a large message nor a piece of a pool keeps more than twice its size", () => {
  const queue = new OutboundQueue<never>();
  queue.push(Buffer.alloc(4_194_304).subarray(4_194_304 - 100_000));
  queue.push(Buffer.from(new ArrayBuffer(65_536), 1_000, 16_389));
  assert.equal(queue.heldBytes, 100_000 + 16_389);
  const half = Buffer.alloc(100_000).subarray(50_000);
  queue.push(half);
  assert.equal(chunksOf(queue).at(-1), half, "no copy where it gains less than half");
  assert.equal(queue.heldBytes, 100_000 + 16_389 + 100_000);
});
