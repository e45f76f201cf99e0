import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Scheduler } from "./scheduler.ts";
import { Http2Stream } from "./stream.ts";

const streams = Array.from({ length: 200 }, (_, index) => new Http2Stream(1 + 2 * index, 0, 0));

test("streams take turns in the order they came; adding twice changes nothing", () => {
  const scheduler = new Scheduler();
  for (const index of [2, 0, 2, 1, 0]) scheduler.add(streams[index]!);
  const taken = [scheduler.takeNext(), scheduler.takeNext(), scheduler.takeNext(), scheduler.takeNext()];
  assert.deepEqual(
    taken.map((stream) => stream?.id),
    [5, 1, 3, undefined],
  );
  assert.equal(scheduler.isEmpty, true);
});

test("a stream that is added again goes to the end", () => {
  const scheduler = new Scheduler();
  scheduler.add(streams[0]!);
  scheduler.add(streams[1]!);
  const first = scheduler.takeNext()!;
  scheduler.add(first);
  assert.deepEqual([scheduler.takeNext()?.id, scheduler.takeNext()?.id], [3, 1]);
});

test("under any adds, takes and removals the order is that of a plain queue", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(199)), { maxLength: 800 }), (steps) => {
      const scheduler = new Scheduler();
      let model: number[] = [];
      for (const [kind, index] of steps) {
        const stream = streams[index]!;
        if (kind <= 1) {
          scheduler.add(stream);
          if (!model.includes(stream.id)) model.push(stream.id);
        } else if (kind === 2) {
          assert.equal(scheduler.takeNext()?.id, model.shift());
        } else if (!model.includes(stream.id)) {
          scheduler.remove(stream);
        } else {
          // As in the core, a stream that was removed is over and never comes back in this place of the ring.
          const drained: number[] = [];
          scheduler.remove(stream);
          model = model.filter((id) => id !== stream.id);
          for (let next = scheduler.takeNext(); next !== undefined; next = scheduler.takeNext()) drained.push(next.id);
          assert.deepEqual(drained, model);
          for (const id of drained) scheduler.add(streams[(id - 1) / 2]!);
        }
        assert.equal(scheduler.isEmpty, model.length === 0);
      }
    }),
  );
});
