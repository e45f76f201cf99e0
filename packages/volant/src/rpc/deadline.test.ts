import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deadlineFrom, earliest, NO_DEADLINE, remainingMs } from "./deadline.ts";

const NOW = 1_000;
const WALL = Date.UTC(2025, 0, 1);

test("gRPC detail 7: without a timeout there is no deadline", () => {
  assert.equal(deadlineFrom({}, NOW, WALL), NO_DEADLINE);
  assert.equal(deadlineFrom({ timeoutMs: Number.POSITIVE_INFINITY }, NOW, WALL), NO_DEADLINE);
  assert.equal(remainingMs(NO_DEADLINE, NOW), Number.POSITIVE_INFINITY);
});

test("a timeout counts from now, and 0 is over at once", () => {
  assert.equal(deadlineFrom({ timeoutMs: 200 }, NOW, WALL), 1_200);
  assert.equal(remainingMs(deadlineFrom({ timeoutMs: 0 }, NOW, WALL), NOW), 0);
});

test("a Date and epoch milliseconds are moved to the monotonic scale", () => {
  assert.equal(deadlineFrom({ deadline: WALL + 500 }, NOW, WALL), 1_500);
  assert.equal(deadlineFrom({ deadline: new Date(WALL + 500) }, NOW, WALL), 1_500);
});

test("a moment in the past is accepted and leaves nothing", () => {
  assert.equal(remainingMs(deadlineFrom({ deadline: new Date(0) }, NOW, WALL), NOW), 0);
});

test("of timeout and deadline the earlier holds", () => {
  assert.equal(deadlineFrom({ timeoutMs: 200, deadline: WALL + 500 }, NOW, WALL), 1_200);
  assert.equal(deadlineFrom({ timeoutMs: 900, deadline: WALL + 500 }, NOW, WALL), 1_500);
});

test("a wrong value is refused with what was given and what is allowed", () => {
  for (const timeoutMs of [-1, Number.NaN, Number.NEGATIVE_INFINITY, "200", null] as number[]) {
    assert.throws(() => deadlineFrom({ timeoutMs }, NOW, WALL), {
      name: "RangeError",
      message: /timeoutMs is .*0 or more/,
    });
  }
  for (const deadline of [new Date(Number.NaN), Number.NaN, "tomorrow"] as Date[]) {
    assert.throws(() => deadlineFrom({ deadline }, NOW, WALL), {
      name: "RangeError",
      message: /deadline is .*valid Date/,
    });
  }
});

test("the earliest of two is one of them and not after either; what is left is never negative", () => {
  const moment = fc.oneof(fc.double({ noNaN: true }), fc.constant(NO_DEADLINE));
  fc.assert(
    fc.property(moment, moment, (a, b) => {
      const first = earliest(a, b);
      assert.ok((first === a || first === b) && first <= a && first <= b);
      assert.ok(remainingMs(a, NOW) >= 0);
    }),
  );
});
