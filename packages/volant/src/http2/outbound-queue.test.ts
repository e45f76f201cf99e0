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
