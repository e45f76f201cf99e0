import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CHARGES } from "../../src/http2/abuse-policy.ts";
import { ATTACKS } from "./attack-list.ts";
import { LIMITS_FILE, renderLimits } from "./limits-document.ts";
import { SERVER_ATTACKS } from "./server-attacks.ts";

test("docs/limits.md is what the attack list and the options say; limits-document.ts writes it anew", () => {
  assert.equal(readFileSync(LIMITS_FILE, "utf8"), renderLimits());
});

test("no two attacks have the same name, and every cause that is charged has an attack", () => {
  const all = [...ATTACKS, ...SERVER_ATTACKS];
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  const counters = new Set(all.map(({ counter }) => counter));
  const missing = [...CHARGES.keys()].filter((cause) => !counters.has(cause));
  assert.deepEqual(missing, []);
});
