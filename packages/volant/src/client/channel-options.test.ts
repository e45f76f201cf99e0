import assert from "node:assert/strict";
import { test } from "node:test";
import { processBudget } from "../stream/buffer-budget.ts";
import { type ChannelOptions, resolveChannelOptions } from "./channel-options.ts";

test("defaults are those that the documentation names", () => {
  const { connectTimeoutMs, limits, keepalive, userAgent, authority, interceptors } = resolveChannelOptions({});
  assert.equal(connectTimeoutMs, 20_000);
  assert.deepEqual([limits.maxMessageBytes, limits.budget], [4_194_304, processBudget]);
  assert.deepEqual(keepalive, { timeMs: 300_000, timeoutMs: 20_000, withoutCalls: false });
  assert.match(userAgent, /^volant-node\/\d/);
  assert.deepEqual([authority, interceptors], [undefined, []]);
});

test("a user agent stands in front of the library's, a budget of one's own replaces the shared one", () => {
  const resolved = resolveChannelOptions({ userAgent: "orders/2.1", maxBufferedBytes: 5 });
  assert.match(resolved.userAgent, /^orders\/2\.1 volant-node\//);
  assert.equal(resolved.limits.budget.maxBytes, 5);
});

test("what is out of range is named with what was given and what is allowed", () => {
  const cases: [ChannelOptions, RegExp][] = [
    [{ connectTimeoutMs: 0 }, /connectTimeoutMs: 0 given, a number from 1 to 2147483647/],
    [{ connectTimeoutMs: Number.POSITIVE_INFINITY }, /connectTimeoutMs: Infinity given/],
    [{ keepalive: { timeMs: 9_999 } }, /keepalive\.timeMs: 9999 given, a number 10000 or more/],
    [{ maxReceiveMessageBytes: -1 }, /maxReceiveMessageBytes: -1 given/],
    [{ maxBufferedBytes: Number.NaN }, /maxBufferedBytes: NaN given/],
    [{ authority: "a b" }, /authority: "a b" given, visible ASCII/],
    [{ authority: "" }, /authority: "" given/],
    [{ userAgent: "x\r\ny: z" }, /userAgent: "x\\r\\ny: z" given, printable ASCII/],
    [{ http2: { maxFrameBytes: 1 } }, /maxFrameBytes: 1 given/],
    [{ connectTimeoutMs: "1" as never }, /connectTimeoutMs: the string "1" given/],
  ];
  for (const [options, message] of cases) assert.throws(() => resolveChannelOptions(options), message);
});
