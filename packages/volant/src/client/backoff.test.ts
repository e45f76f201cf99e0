import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { backoffMs, resolveBackoffOptions } from "./backoff.ts";

test("connection-backoff: waits grow by the multiplier up to the maximum", () => {
  const options = resolveBackoffOptions({ jitter: 0 });
  const waits = [1, 2, 3, 4].map((failures) => Math.round(backoffMs(options, failures, 0.5)));
  assert.deepEqual(waits, [1_000, 1_600, 2_560, 4_096]);
  assert.equal(backoffMs(options, 1_000_000, 0.5), 120_000);
});

test("connection-backoff: jitter spreads each wait by its share, and by no more", () => {
  const options = resolveBackoffOptions();
  assert.equal(backoffMs(options, 1, 0), 800);
  assert.equal(backoffMs(options, 1, 0.5), 1_000);
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, value) => {
      const base = Math.min(120_000, 1_000 * 1.6 ** (failures - 1));
      const wait = backoffMs(options, failures, value);
      assert.ok(wait >= base * 0.8 - 1e-6 && wait <= base * 1.2 + 1e-6);
    }),
  );
});

test("every wait that the options allow is a delay that setTimeout takes", () => {
  const options = resolveBackoffOptions({ initialMs: 1_000_000_000, maxMs: 1_000_000_000, jitter: 1 });
  assert.ok(backoffMs(options, 50, 0.999_999) < 2 ** 31);
});

test("one bound alone moves the default of the other", () => {
  assert.deepEqual(resolveBackoffOptions({ maxMs: 500 }), { initialMs: 500, multiplier: 1.6, jitter: 0.2, maxMs: 500 });
  assert.equal(resolveBackoffOptions({ initialMs: 200_000 }).maxMs, 200_000);
});

test("what is out of range is named with what is allowed", () => {
  assert.throws(
    () => resolveBackoffOptions({ initialMs: 0 }),
    /backoff\.initialMs: 0 given, a number from 1 to 120000/,
  );
  assert.throws(() => resolveBackoffOptions({ initialMs: 20, maxMs: 10 }), /backoff\.initialMs: 20 given/);
  assert.throws(() => resolveBackoffOptions({ maxMs: Number.POSITIVE_INFINITY }), /backoff\.maxMs: Infinity given/);
  assert.throws(
    () => resolveBackoffOptions({ multiplier: 0.5 }),
    /backoff\.multiplier: 0\.5 given, a number from 1 to 100/,
  );
  assert.throws(() => resolveBackoffOptions({ jitter: 2 }), /backoff\.jitter: 2 given, a number from 0 to 1/);
  assert.throws(() => resolveBackoffOptions({ jitter: Number.NaN }), /backoff\.jitter: NaN/);
});
