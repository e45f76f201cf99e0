/** Waiting that ends before the work does. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { orAbort, settlesWithin } from "./time-limit.ts";

const never = new Promise<never>(() => undefined);

it("work that ends in time is told from work that does not", async () => {
  assert.equal(await settlesWithin(Promise.resolve(), 600_000), true);
  assert.equal(await settlesWithin(Promise.resolve(), Number.POSITIVE_INFINITY), true);
  assert.equal(await settlesWithin(never, 1), false);
  assert.equal(await settlesWithin(never, -1), false);
  await assert.rejects(settlesWithin(Promise.reject(new Error("failed")), 600_000), /failed/);
});

it("who is cancelled leaves at once, and only then", async () => {
  assert.equal(await orAbort(Promise.resolve(1), undefined), 1);
  assert.equal(await orAbort(Promise.resolve(1), new AbortController().signal), 1);
  const controller = new AbortController();
  const left = assert.rejects(orAbort(never, controller.signal), { name: "AbortError" });
  controller.abort(new TypeError("client left"));
  await left;
  await assert.rejects(orAbort(never, controller.signal), { name: "AbortError" });
});
