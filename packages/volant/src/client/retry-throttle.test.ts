import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RetryThrottle, resolveThrottleOptions } from "./retry-throttle.ts";

test("gRFC A6 retries stop at half of the tokens, and go on above it", () => {
  const throttle = new RetryThrottle({ maxTokens: 10, tokenRatio: 0.5 });
  for (let failures = 0; failures < 4; failures++) throttle.onFailure();
  assert.equal(throttle.mayRetry, true);
  throttle.onFailure();
  assert.equal(throttle.mayRetry, false);
  throttle.onSuccess();
  assert.equal(throttle.mayRetry, true);
});

test("an outage leaves no debt, and a quiet week saves nothing up", () => {
  const throttle = new RetryThrottle({ maxTokens: 4, tokenRatio: 1 });
  for (let failures = 0; failures < 100; failures++) throttle.onFailure();
  for (let successes = 0; successes < 3; successes++) throttle.onSuccess();
  assert.equal(throttle.mayRetry, true);
  for (let successes = 0; successes < 100; successes++) throttle.onSuccess();
  for (let failures = 0; failures < 2; failures++) throttle.onFailure();
  assert.equal(throttle.mayRetry, false);
});

test("a server that fails more than it serves, by the ratio, gets a bounded number of retries", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1_000, maxLength: 2_000 }), (outcomes) => {
      const throttle = new RetryThrottle({ maxTokens: 20, tokenRatio: 0.1 });
      let allowed = 0;
      let successes = 0;
      for (const isFailure of outcomes) {
        if (!isFailure) {
          throttle.onSuccess();
          successes++;
          continue;
        }
        throttle.onFailure();
        if (throttle.mayRetry) allowed++;
      }
      assert.ok(allowed <= 10 + successes * 0.1);
    }),
  );
});

test("false turns it off; three decimals of the ratio count", () => {
  assert.equal(resolveThrottleOptions(false), undefined);
  assert.deepEqual(resolveThrottleOptions({ tokenRatio: 0.12345 }), { maxTokens: 500, tokenRatio: 0.123 });
  assert.deepEqual(resolveThrottleOptions({ maxTokens: 3, tokenRatio: 0.0001 }), { maxTokens: 3, tokenRatio: 0.001 });
});
