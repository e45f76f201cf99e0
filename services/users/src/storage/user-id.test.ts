/** Layout and order of ids. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { createUserId } from "./user-id.ts";

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it("RFC 9562 §5.7 an id holds the time, the version and the variant", () => {
  const nowMs = Date.now() + 1_000;
  const id = createUserId(nowMs);
  assert.match(id, VERSION_7);
  assert.equal(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16), nowMs);
});

it("RFC 9562 §6.2 ids increase within a millisecond, past the counter's end, and when the clock steps back", () => {
  const nowMs = Date.now() + 2_000;
  const ids = Array.from({ length: 10_000 }, (_, i) => createUserId(i === 5_000 ? nowMs - 500 : nowMs));
  for (const id of ids) assert.match(id, VERSION_7);
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
});
