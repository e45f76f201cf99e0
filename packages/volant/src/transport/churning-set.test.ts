import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChurningSet } from "./churning-set.ts";

test("under any adds and removals it has the members of a Set, in its order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 500 }), (steps) => {
      const churning = new ChurningSet<number>();
      const model = new Set<number>();
      for (const [isAdd, member] of steps) {
        if (isAdd) {
          churning.add(member);
          model.add(member);
        } else assert.equal(churning.delete(member), model.delete(member));
        assert.equal(churning.size, model.size);
        assert.equal(churning.first, [...model][0]);
      }
      assert.deepEqual(churning.values(), [...model]);
    }),
  );
});
