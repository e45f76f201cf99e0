import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

const streamOf = (id: number): Http2Stream => new Http2Stream(id, 0, 0);
const ids = (table: StreamTable): number[] => table.values().map(({ id }) => id);

test("under any ids, adds and removals it holds what a Map holds, in the order of the ids", () => {
  // Few ids far apart, so that many fall on one place; and ids in a row, as peers use them.
  const anyId = fc.oneof(
    fc.nat(63).map((n) => 1 + 2 * n),
    fc.nat(15).map((n) => 1 + 4_096 * n),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), anyId), { maxLength: 600 }), (steps) => {
      const table = new StreamTable();
      const model = new Map<number, Http2Stream>();
      for (const [isAdd, id] of steps) {
        if (!isAdd) assert.equal(table.delete(id), model.delete(id));
        else if (!model.has(id)) {
          const stream = streamOf(id);
          model.set(id, stream);
          table.add(stream);
        }
        assert.equal(table.get(id), model.get(id));
        assert.equal(table.size, model.size);
      }
      assert.deepEqual(
        ids(table),
        [...model.keys()].sort((a, b) => a - b),
      );
      for (const [id, stream] of model) assert.equal(table.get(id), stream);
    }),
  );
});

test("thousands at once are found, and after them the table is small again", () => {
  const table = new StreamTable();
  const all = Array.from({ length: 5_000 }, (_, index) => streamOf(1 + 2 * index));
  for (const stream of all) table.add(stream);
  for (const stream of all) assert.equal(table.get(stream.id), stream);
  for (const { id } of all) assert.equal(table.delete(id), true);
  assert.deepEqual([table.size, ids(table), table.get(1)], [0, [], undefined]);
  table.add(all[7]!);
  assert.deepEqual(ids(table), [15]);
});

test("cleared it is empty, and can be used again", () => {
  const table = new StreamTable();
  for (const id of [1, 8_193, 3]) table.add(streamOf(id));
  table.clear();
  assert.deepEqual([table.size, ids(table), table.get(8_193), table.delete(1)], [0, [], undefined, false]);
  table.add(streamOf(5));
  assert.deepEqual(ids(table), [5]);
});
