import assert from "node:assert/strict";
import { test } from "node:test";
import { processBudget } from "../stream/buffer-budget.ts";
import { resolveServerOptions } from "./server-options.ts";

test("the defaults are those that are documented, and the result is frozen", () => {
  const options = resolveServerOptions({});
  assert.equal(options.limits.maxMessageBytes, 4_194_304);
  assert.equal(options.limits.budget, processBudget);
  assert.equal(options.maxConnections, Number.POSITIVE_INFINITY);
  assert.equal(options.maxConnectionsPerAddress, Number.POSITIVE_INFINITY);
  assert.equal(options.maxOrphanedHandlers, 20_000);
  assert.equal(options.maxCallDurationMs, Number.POSITIVE_INFINITY);
  assert.equal(options.requestIdleTimeoutMs, 60_000);
  assert.equal(options.cancelGraceMs, 5);
  assert.equal(options.writeStallTimeoutMs, 30_000);
  assert.equal(options.maxConnectionIdleMs, Number.POSITIVE_INFINITY);
  assert.equal(options.maxConnectionAgeMs, Number.POSITIVE_INFINITY);
  assert.equal(options.maxConnectionAgeGraceMs, Number.POSITIVE_INFINITY);
  assert.deepEqual(options.keepaliveEnforcement, { minTimeMs: 300_000, permitWithoutCalls: false, maxStrikes: 2 });
  assert.equal(options.http2.maxConcurrentStreams, 100);
  assert.equal(options.onRejected, undefined);
  assert.ok(Object.isFrozen(options));
});

test("gRPC detail 35: the server's own keepalive is 2 h and 20 s, with or without calls", () => {
  const { keepalive } = resolveServerOptions({});
  assert.deepEqual(keepalive, { timeMs: 7_200_000, timeoutMs: 20_000, withoutCalls: true });
});

test("a budget of its own is not the process's", () => {
  const { budget } = resolveServerOptions({ maxBufferedBytes: 1_000 }).limits;
  assert.notEqual(budget, processBudget);
  assert.equal(budget.maxBytes, 1_000);
});

for (const [options, text] of [
  [{ maxReceiveMessageBytes: -1 }, /maxReceiveMessageBytes: -1 given, a number from 0 to 2147483647 is allowed/],
  [{ maxReceiveMessageBytes: 2 ** 31 }, /maxReceiveMessageBytes/],
  [{ maxBufferedBytes: Number.NaN }, /maxBufferedBytes: NaN given/],
  [{ maxUnsentBytes: -1 }, /maxUnsentBytes: -1 given/],
  [{ maxConnections: 0 }, /maxConnections: 0 given, a number 1 or more is allowed/],
  [{ maxConnectionIdleMs: 0 }, /maxConnectionIdleMs/],
  [{ maxConnectionsPerAddress: 0 }, /maxConnectionsPerAddress: 0 given, a number 1 or more is allowed/],
  [{ maxOrphanedHandlers: 0 }, /maxOrphanedHandlers/],
  [{ maxCallDurationMs: Number.NaN }, /maxCallDurationMs: NaN given/],
  [{ requestIdleTimeoutMs: 0 }, /requestIdleTimeoutMs/],
  [{ cancelGraceMs: 1_001 }, /cancelGraceMs: 1001 given, a number from 0 to 1000 is allowed/],
  [{ writeStallTimeoutMs: -1 }, /writeStallTimeoutMs: -1 given/],
  [{ maxConnectionAgeMs: 0 }, /maxConnectionAgeMs/],
  [{ maxConnectionAgeGraceMs: -1 }, /maxConnectionAgeGraceMs: -1 given, a number 0 or more/],
  [{ keepaliveEnforcement: { minTimeMs: -1 } }, /keepaliveEnforcement\.minTimeMs/],
  [{ keepaliveEnforcement: { maxStrikes: -1 } }, /keepaliveEnforcement\.maxStrikes/],
  [{ keepalive: { timeMs: 0 } }, /keepalive\.timeMs/],
  [{ keepalive: { timeoutMs: "5" as unknown as number } }, /keepalive\.timeoutMs: the string "5" given/],
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
  onError(new Error("no user \x1b[2J\u202e"), undefined);
  assert.match(written[2]!, /^volant: server: Error: no user \\u001b\[2J\\u202e\n +at /);
});
