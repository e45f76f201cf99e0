import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findProblems, parseExpectedFailures } from "./expected-failures.ts";
import type { RoleResult } from "./suites/suite.ts";

const RESULTS: readonly RoleResult[] = [
  {
    role: "server",
    cases: [
      { name: "a", outcome: "passed" },
      { name: "b: c", outcome: "failed", detail: "reset 2" },
      { name: "d", outcome: "skipped", detail: "absent" },
    ],
  },
];

test("comments and empty lines are no cases", () => {
  assert.deepEqual([...parseExpectedFailures("# why\n\n  h2spec server a b \n")], ["h2spec server a b"]);
});

test("the list of this repository can be read and is empty", () => {
  const text = readFileSync(join(import.meta.dirname, "expected-failures.txt"), "utf8");
  assert.equal(parseExpectedFailures(text).size, 0);
});

test("a failure that is not listed is a problem with its reason; what passed or was skipped is none", () => {
  assert.deepEqual(findProblems("s", RESULTS, new Set()), ["s server b: c: failed: reset 2"]);
});

test("a listed failure is no problem", () => {
  assert.deepEqual(findProblems("s", RESULTS, new Set(["s server b: c", "other server x"])), []);
});

test("a listed case that passes is a problem, and so is one that does not exist", () => {
  const problems = findProblems("s", RESULTS, new Set(["s server a", "s server b: c", "s client gone"]));
  assert.deepEqual(problems, [
    "s server a: expected to fail, but it passed; take it off the list",
    "s client gone: expected to fail, and there is no such case",
  ]);
});
