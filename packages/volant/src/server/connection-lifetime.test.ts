/** gRFC A9, on the times that the wheel would give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionLifetime, type LifetimeOptions, MAX_AGE_GRACE_OVER } from "./connection-lifetime.ts";

const NEVER = Number.POSITIVE_INFINITY;

function setUp(t: { after(work: () => void): void }, options: Partial<LifetimeOptions>) {
  const log: string[] = [];
  const host = {
    streamCount: 0,
    activity: 0,
    drain: (reason: string) => void log.push(`drain ${reason}`),
    close: (fault: unknown) => void log.push(fault === MAX_AGE_GRACE_OVER ? "close max-age-grace-over" : "close"),
  };
  const all = { maxConnectionIdleMs: NEVER, maxConnectionAgeMs: NEVER, maxConnectionAgeGraceMs: NEVER, ...options };
  const lifetime = new ConnectionLifetime(all, host);
  t.after(() => lifetime.stop());
  return { log, host, lifetime };
}

test("gRPC detail 32: the age is spread by a tenth to either side, and the grace is not", (t) => {
  for (const [spread, ageMs] of [
    [0, 900_000],
    [0.5, 1_000_000],
    [1, 1_100_000],
  ] as const) {
    const { log, lifetime } = setUp(t, { maxConnectionAgeMs: 1_000_000, maxConnectionAgeGraceMs: 50_000 });
    lifetime.start(0, spread);
    assert.ok(Math.abs(lifetime.dueMs - ageMs) < 1, `${lifetime.dueMs}`);
    lifetime.onTimer(2_000_000);
    assert.deepEqual(log, ["drain max_age"]);
    assert.equal(lifetime.dueMs, 2_050_000);
    lifetime.onTimer(2_050_000);
    assert.deepEqual(log, ["drain max_age", "close max-age-grace-over"]);
  }
});

test("without a grace calls take as long as they like", (t) => {
  const { lifetime } = setUp(t, { maxConnectionAgeMs: 1_000, maxConnectionAgeGraceMs: NEVER });
  lifetime.start(0, 0.5);
  lifetime.onTimer(1_000);
  assert.equal(lifetime.dueMs, NEVER);
});

test("idle means: no call at two looks, and none between them", (t) => {
  const { log, host, lifetime } = setUp(t, { maxConnectionIdleMs: 1_000 });
  lifetime.start(0, 0);
  host.activity = 1;
  lifetime.onTimer(1_000);
  host.streamCount = 1;
  lifetime.onTimer(2_000);
  host.streamCount = 0;
  lifetime.onTimer(3_000);
  assert.deepEqual(log, []);
  lifetime.onTimer(4_000);
  assert.deepEqual(log, ["drain max_idle"]);
  assert.equal(lifetime.dueMs, NEVER);
});

test("nothing is armed where there is no limit", (t) => {
  const { lifetime } = setUp(t, {});
  lifetime.start(0, 0.5);
  assert.equal(lifetime.dueMs, NEVER);
});
