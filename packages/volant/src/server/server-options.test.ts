import assert from "node:assert/strict";
import { test } from "node:test";
import { processBudget } from "../stream/buffer-budget.ts";
import { resolveServerOptions } from "./server-options.ts";

test("the defaults are those that are documented, and the result is frozen", () => {
  const options = resolveServerOptions({});
  assert.equal(options.limits.maxMessageBytes, 4_194_304);
  assert.equal(options.limits.budget, processBudget);
  assert.equal(options.maxConnections, Number.POSITIVE_INFINITY);
  assert.equal(options.maxConnectionIdleMs, Number.POSITIVE_INFINITY);
  assert.deepEqual(options.keepalive, { timeMs: 7_200_000, timeoutMs: 20_000, withoutCalls: true });
  assert.equal(options.http2.maxConcurrentStreams, 100);
  assert.equal(options.onRejected, undefined);
  assert.ok(Object.isFrozen(options));
});

test("a budget of its own is not the process's", () => {
  const { budget } = resolveServerOptions({ maxBufferedBytes: 1_000 }).limits;
  assert.notEqual(budget, processBudget);
  assert.equal(budget.maxBytes, 1_000);
});

for (const [options, text] of [
  [{ maxReceiveMessageBytes: -1 }, /maxReceiveMessageBytes: -1 given, a number from 0 to 4294967295 is allowed/],
  [{ maxReceiveMessageBytes: 2 ** 32 }, /maxReceiveMessageBytes/],
  [{ maxBufferedBytes: Number.NaN }, /maxBufferedBytes: NaN given/],
  [{ maxConnections: 0 }, /maxConnections: 0 given, a number 1 or more is allowed/],
  [{ maxConnectionIdleMs: 0 }, /maxConnectionIdleMs/],
  [{ keepalive: { timeMs: 0 } }, /keepalive\.timeMs/],
  [{ keepalive: { timeoutMs: "5" as unknown as number } }, /keepalive\.timeoutMs: 5 given/],
  [{ http2: { maxConcurrentStreams: 0 } }, /maxConcurrentStreams: 0 given, an integer from 1/],
] as const) {
  test(`an option outside its range is refused by name: ${JSON.stringify(options)}`, () => {
    assert.throws(() => resolveServerOptions(options), text);
  });
}

test("without onError, errors are written to stderr with their method and stack", (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  const { onError } = resolveServerOptions({});
  onError(new Error("boom"), { method: { path: "/s/M" } } as never);
  onError("text", undefined);
  assert.match(written[0]!, /^volant: \/s\/M: Error: boom\n +at /);
  assert.equal(written[1], "volant: server: text\n");
});
