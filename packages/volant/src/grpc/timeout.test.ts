import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTimeout, MALFORMED_TIMEOUT, parseTimeout } from "./timeout.ts";

test("gRPC detail 6: each unit reads as milliseconds", () => {
  assert.equal(parseTimeout("2H"), 7_200_000);
  assert.equal(parseTimeout("3M"), 180_000);
  assert.equal(parseTimeout("4S"), 4_000);
  assert.equal(parseTimeout("5m"), 5);
  assert.equal(parseTimeout("6u"), 0.006);
  assert.equal(parseTimeout("7n"), 0.000_007);
  assert.equal(parseTimeout("99999999H"), 99_999_999 * 3_600_000);
});

test("gRPC detail 6: 0S is accepted: the deadline has passed", () => {
  assert.equal(parseTimeout("0S"), 0);
  assert.equal(parseTimeout("00000000n"), 0);
});

test("gRPC detail 6: anything but 1 to 8 digits and a unit is malformed", () => {
  for (const text of [
    "",
    "S",
    "1",
    "10",
    "123456789S",
    "1s",
    "1h",
    "1U",
    "-1S",
    "+1S",
    "1.5S",
    " 1S",
    "1S ",
    "1 S",
    "1mS",
    "٣S",
    "1é",
  ]) {
    assert.equal(parseTimeout(text), MALFORMED_TIMEOUT, JSON.stringify(text));
  }
});

test("gRPC detail 6: usual timeouts travel in milliseconds", () => {
  assert.equal(formatTimeout(200), "200m");
  assert.equal(formatTimeout(199.001), "200m");
  assert.equal(formatTimeout(60_000), "60000m");
  assert.equal(formatTimeout(99_999_999), "99999999m");
});

test("gRPC detail 6: eight digits are never exceeded: the unit grows", () => {
  assert.equal(formatTimeout(99_999_999.5), "100000S");
  assert.equal(formatTimeout(100_000_000), "100000S");
  assert.equal(formatTimeout(99_999_999_001), "1666667M");
  assert.equal(formatTimeout(99_999_999 * 60_000 + 1), "1666667H");
  assert.equal(formatTimeout(Number.MAX_VALUE), "99999999H");
});

test("short timeouts keep their microseconds", () => {
  assert.equal(formatTimeout(1.5), "1500u");
  assert.equal(formatTimeout(0.0001), "1u");
  assert.equal(formatTimeout(0.043), "43u");
  assert.equal(formatTimeout(0.043000000000000003), "44u");
});

test("gRPC detail 6: the value is positive: nothing left goes as one nanosecond", () => {
  for (const ms of [0, -0, -5, Number.NEGATIVE_INFINITY]) assert.equal(formatTimeout(ms), "1n");
});

test("gRPC detail 6: what is sent is never shorter than what was asked and at most one unit longer", () => {
  const largestMs = 99_999_999 * 3_600_000;
  const timeouts = fc.oneof(
    fc.double({ min: Number.MIN_VALUE, max: 20, noNaN: true }),
    fc.double({ min: 0.001, max: 1e9, noNaN: true }),
    fc.double({ min: 1, max: largestMs, noNaN: true }),
    fc.integer({ min: 1, max: largestMs }),
  );
  fc.assert(
    fc.property(timeouts, (ms) => {
      const text = formatTimeout(ms);
      assert.match(text, /^[1-9][0-9]{0,7}[HMSmun]$/);
      const back = parseTimeout(text);
      const unitMs = parseTimeout(`1${text.at(-1)}`);
      assert.ok(back >= ms, `${text} is shorter than ${ms}`);
      assert.ok(back - ms <= unitMs * (1 + 1e-9), `${text} is over a unit longer than ${ms}`);
    }),
    { numRuns: 2_000 },
  );
});
