import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "./interop-soak.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a soak makes as many calls as it is told, never more at a time than its width", async () => {
  let calls = 0;
  let running = 0;
  let peak = 0;
  await soak(
    async () => {
      calls++;
      peak = Math.max(peak, ++running);
      await nextTurn();
      running--;
    },
    { iterations: 101, width: 8, maxLatencyMs: Number.POSITIVE_INFINITY },
  );
  assert.deepEqual([calls, peak, running], [101, 8, 0]);
});

test("one call that fails, or is slower than allowed, fails the soak", async () => {
  const failing = (): Promise<void> => Promise.reject(new Error("call failed"));
  const limits = { iterations: 3, width: 1, maxLatencyMs: Number.POSITIVE_INFINITY };
  await assert.rejects(soak(failing, limits), /call failed/);
  await assert.rejects(soak(nextTurn, { ...limits, maxLatencyMs: -1 }), /ms, -1 are allowed/);
});
