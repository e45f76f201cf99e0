import assert from "node:assert/strict";
import { test } from "node:test";
import { runChecks, SkippedCase } from "./suite.ts";

test("a check becomes a case that passed, failed with its reason, or was skipped with its reason", async () => {
  const cases = await runChecks({
    fine: () => {},
    wrong: () => assert.fail("two is not three"),
    rejected: () => Promise.reject(new Error("late")),
    absent: () => {
      throw new SkippedCase("no such tool");
    },
  });
  assert.deepEqual(cases, [
    { name: "fine", outcome: "passed" },
    { name: "wrong", outcome: "failed", detail: "two is not three" },
    { name: "rejected", outcome: "failed", detail: "late" },
    { name: "absent", outcome: "skipped", detail: "no such tool" },
  ]);
});

test("a check that never ends is a failed case, and the next one runs", async () => {
  const cases = await runChecks({ stuck: () => new Promise<void>(() => {}), next: () => {} }, 1);
  assert.deepEqual(
    cases.map(({ outcome }) => outcome),
    ["failed", "passed"],
  );
  assert.match(cases[0]?.detail ?? "", /not finished after 1 ms/);
});
