import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable, mergeRuns, toRows } from "./report.ts";
import type { CaseResult, RoleResult } from "./suites/suite.ts";

const passed = (name: string): CaseResult => ({ name, outcome: "passed" });
const failed = (name: string, detail: string): CaseResult => ({ name, outcome: "failed", detail });
const server = (...cases: CaseResult[]): RoleResult[] => [{ role: "server", cases }];

test("a row counts the cases of one role", () => {
  const results: RoleResult[] = [
    { role: "server", cases: [passed("a"), failed("b", "no"), { name: "c", outcome: "skipped", detail: "x" }] },
    { role: "client", cases: [] },
  ];
  assert.deepEqual(toRows("s", results), [
    { suite: "s", role: "server", total: 3, passed: 1, failed: 1, skipped: 1 },
    { suite: "s", role: "client", total: 0, passed: 0, failed: 0, skipped: 0 },
  ]);
});

test("the table has its words on the left and its numbers on the right", () => {
  const table = formatTable(toRows("h2spec", server(passed("a"))));
  assert.deepEqual(table.split("\n"), [
    "suite   role    total  passed  failed  skipped",
    "h2spec  server      1       1       0        0",
  ]);
});

test("one run stays as it is", () => {
  const run = server(failed("a", "no"));
  assert.deepEqual(mergeRuns([run]), run);
});

test("a case that failed in one of several runs failed, one that is missing in a run too", () => {
  const merged = mergeRuns([
    server(passed("a"), passed("b"), passed("c")),
    server(passed("a"), failed("b", "late")),
    server(passed("a"), passed("b"), passed("c")),
  ]);
  assert.deepEqual(
    merged,
    server(passed("a"), failed("b", "in 1 of 3 runs: late"), failed("c", "missing in 1 of 3 runs")),
  );
});
