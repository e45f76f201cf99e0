import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { createRpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { CallRetries, mayRepeat, type RetryOptions, resolveRetryOptions } from "./retry-policy.ts";
import { RetryThrottle } from "./retry-throttle.ts";

const MIDDLE = 0.5;

function unavailable(pushback?: string) {
  const metadata = new Metadata();
  if (pushback !== undefined) metadata.set("grpc-retry-pushback-ms", pushback);
  return createRpcError("client", StatusCode.UNAVAILABLE, "", { metadata });
}

function policy(options: RetryOptions = {}) {
  return resolveRetryOptions(options)!;
}

test("defaults are those that the documentation names; nothing given is no policy", () => {
  assert.equal(resolveRetryOptions(undefined), undefined);
  assert.deepEqual(policy(), {
    maxAttempts: 4,
    backoff: { initialMs: 50, multiplier: 2, jitter: 0.2, maxMs: 2_000 },
    codes: new Set([StatusCode.UNAVAILABLE]),
    coversAll: false,
    throttling: { maxTokens: 500, tokenRatio: 0.1 },
  });
});

test("gRFC A6 waits double up to the most, and vary by 20 %", () => {
  const retries = new CallRetries(policy({ maxAttempts: 5, backoff: { initialMs: 100, maxMs: 300 } }), undefined);
  assert.equal(retries.delayAfter(unavailable(), 0), 80);
  assert.equal(retries.delayAfter(unavailable(), MIDDLE), 200);
  assert.ok(Math.abs(retries.delayAfter(unavailable(), 1 - Number.EPSILON)! - 360) < 1e-6);
  assert.equal(retries.delayAfter(unavailable(), MIDDLE), 300);
  assert.equal(retries.delayAfter(unavailable(), MIDDLE), undefined);
  assert.equal(retries.failures, 5);
});

test("gRFC A6 a pushback is the exact wait, and the backoff behind it begins anew", () => {
  const retries = new CallRetries(policy({ maxAttempts: 5 }), undefined);
  retries.delayAfter(unavailable(), MIDDLE);
  assert.equal(retries.delayAfter(unavailable("1234"), 0), 1_234);
  assert.equal(retries.delayAfter(unavailable(), MIDDLE), 50);
});

test("gRFC A6 a pushback revives no status that the policy does not name", () => {
  const metadata = new Metadata().set("grpc-retry-pushback-ms", "1");
  const aborted = createRpcError("client", StatusCode.ABORTED, "", { metadata });
  assert.equal(new CallRetries(policy(), undefined).delayAfter(aborted, MIDDLE), undefined);
});

test("gRFC A6 failures with a status of the policy and those that ask for no retry take tokens, others do not", () => {
  const throttle = new RetryThrottle({ maxTokens: 4, tokenRatio: 1 });
  const after = (status: Parameters<CallRetries["delayAfter"]>[0]) =>
    new CallRetries(policy(), throttle).delayAfter(status, MIDDLE);
  after(createRpcError("client", StatusCode.NOT_FOUND, ""));
  assert.equal(after(unavailable()), 50);
  assert.equal(after(unavailable("-1")), undefined);
  assert.equal(throttle.mayRetry, false);
  assert.equal(after(unavailable()), undefined);
});

test("what may be repeated: the caller decides, then the policy, then the proto", () => {
  const method = (idempotency: MethodInfo["idempotency"]): MethodInfo => ({
    path: "/s/M",
    service: "s",
    name: "M",
    kind: "unary",
    idempotency,
  });
  const careful = policy();
  assert.equal(mayRepeat(careful, method("NO_SIDE_EFFECTS"), undefined), true);
  assert.equal(mayRepeat(careful, method("IDEMPOTENT"), undefined), true);
  assert.equal(mayRepeat(careful, method("UNKNOWN"), undefined), false);
  assert.equal(mayRepeat(careful, method("UNKNOWN"), true), true);
  assert.equal(mayRepeat(careful, method("IDEMPOTENT"), false), false);
  assert.equal(mayRepeat(policy({ methods: "all" }), method("UNKNOWN"), undefined), true);
});

test("what is out of range is named with what was given and what is allowed", () => {
  const cases: [RetryOptions, RegExp][] = [
    [{ maxAttempts: 0 }, /retry\.maxAttempts: 0 given, a whole number 1 or more/],
    [{ maxAttempts: 2.5 }, /retry\.maxAttempts: 2\.5 given/],
    [{ codes: [StatusCode.OK] }, /retry\.codes: 0 given, StatusCode other than OK/],
    [{ codes: [99 as StatusCode] }, /retry\.codes: 99 given/],
    [{ methods: "some" as "all" }, /retry\.methods: the string "some" given, "idempotent" or "all"/],
    [{ backoff: { initialMs: 0 } }, /retry\.backoff\.initialMs: 0 given, a number from 1 to 2000/],
    [{ throttling: { maxTokens: 0 } }, /retry\.throttling\.maxTokens: 0 given, a number above 0 and up to 1000/],
    [{ throttling: { maxTokens: 1_001 } }, /retry\.throttling\.maxTokens: 1001 given/],
    [{ throttling: { tokenRatio: -1 } }, /retry\.throttling\.tokenRatio: -1 given, a number above 0/],
  ];
  for (const [options, message] of cases) assert.throws(() => resolveRetryOptions(options), message);
});
