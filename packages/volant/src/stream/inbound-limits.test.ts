import assert from "node:assert/strict";
import { test } from "node:test";
import { processBudget } from "./buffer-budget.ts";
import { resolveInboundLimits } from "./inbound-limits.ts";

test("the defaults are those that are documented, and the result is frozen", () => {
  const limits = resolveInboundLimits({}, "server");
  assert.deepEqual([limits.maxMessageBytes, limits.aheadBytes], [4_194_304, 32_768]);
  assert.equal(limits.budget, processBudget);
  assert.ok(Object.isFrozen(limits));
});

test("RFC 9113 §6.9.1 no message is larger than a window can grant, without a limit either", () => {
  assert.equal(
    resolveInboundLimits({ maxReceiveMessageBytes: Number.POSITIVE_INFINITY }, "server").maxMessageBytes,
    2 ** 31 - 1,
  );
  assert.equal(resolveInboundLimits({ maxReceiveMessageBytes: 2 ** 31 - 1 }, "server").maxMessageBytes, 2 ** 31 - 1);
  assert.throws(() => resolveInboundLimits({ maxReceiveMessageBytes: 2 ** 31 }, "server"), {
    name: "RangeError",
    message: "maxReceiveMessageBytes: 2147483648 given, a number from 0 to 2147483647 is allowed",
  });
});

test("what is out of range is refused by name", () => {
  assert.throws(() => resolveInboundLimits({ decodeAheadBytes: -1 }, "server"), /decodeAheadBytes: -1 given/);
  assert.throws(() => resolveInboundLimits({ decodeAheadBytes: Number.NaN }, "server"), /decodeAheadBytes: NaN given/);
  assert.throws(() => resolveInboundLimits({ maxBufferedBytes: -1 }, "server"), /maxBufferedBytes: -1 given/);
});
