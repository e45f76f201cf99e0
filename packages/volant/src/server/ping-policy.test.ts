/** gRFC A8, server enforcement. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PingPolicy, type PingPolicyOptions } from "./ping-policy.ts";

const MIN = 60_000;
const DEFAULTS: PingPolicyOptions = { minTimeMs: 5 * MIN, permitWithoutCalls: false, maxStrikes: 2 };

/** PINGs at these times; the result is which of them are fine. */
function judge(timesMs: readonly number[], hasCalls: boolean, options: Partial<PingPolicyOptions> = {}): boolean[] {
  const policy = new PingPolicy({ ...DEFAULTS, ...options });
  return timesMs.map((atMs) => policy.receive(atMs, hasCalls, 7));
}

test("gRPC detail 34: the first is free, two strikes are forgiven, the third is one too many", () => {
  assert.deepEqual(judge([0, 1, 2, 3], true), [true, true, true, false]);
});

test("gRPC detail 34: five minutes apart is fine with calls, two hours without", () => {
  assert.deepEqual(
    judge(
      [0, 5, 10, 15, 20].map((at) => at * MIN),
      true,
    ).includes(false),
    false,
  );
  assert.deepEqual(
    judge(
      [0, 5, 10, 15].map((at) => at * MIN),
      false,
    ),
    [true, true, true, false],
  );
  assert.deepEqual(
    judge(
      [0, 120, 240, 360, 480].map((at) => at * MIN),
      false,
    ).includes(false),
    false,
  );
});

test("where it is permitted, calls make no difference", () => {
  const times = [0, 5, 10, 15, 20].map((at) => at * MIN);
  assert.equal(judge(times, false, { permitWithoutCalls: true }).includes(false), false);
});

test("gRPC detail 34: whatever happened in between forgives all strikes", () => {
  const policy = new PingPolicy(DEFAULTS);
  for (let activity = 0; activity < 100; activity++) {
    for (let ping = 0; ping < 3; ping++) assert.equal(policy.receive(activity, true, activity), true);
  }
  assert.equal(policy.receive(100, true, 99), false);
});

test("strikes without end are forgiven where the limit is off", () => {
  const times = Array.from({ length: 1_000 }, (_, index) => index);
  assert.equal(judge(times, true, { maxStrikes: Number.POSITIVE_INFINITY }).includes(false), false);
});
