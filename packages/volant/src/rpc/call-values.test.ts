import assert from "node:assert/strict";
import { test } from "node:test";
import { CallValues, createCallValueKey } from "./call-values.ts";

test("a key without a value has its default; a value that was set wins, undefined too", () => {
  const key = createCallValueKey<string | undefined>("user", "anonymous");
  const values = new CallValues();
  assert.equal(values.get(key), "anonymous");
  values.set(key, "alice");
  assert.equal(values.get(key), "alice");
  values.set(key, undefined);
  assert.equal(values.get(key), undefined);
  assert.equal(values.delete(key), true);
  assert.equal(values.delete(key), false);
  assert.equal(values.get(key), "anonymous");
});

test("two keys of one description are two values", () => {
  const [a, b] = [createCallValueKey("id", 0), createCallValueKey("id", 0)];
  const values = new CallValues().set(a, 1);
  assert.deepEqual([values.get(a), values.get(b)], [1, 0]);
});
