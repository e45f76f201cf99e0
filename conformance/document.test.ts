import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDocument } from "./document.ts";
import type { Row } from "./report.ts";
import type { Suite } from "./suites/suite.ts";
import { TOOLS } from "./tools/versions.ts";

const suite = (name: string, tools: Suite["tools"]): Suite => ({ name, isFast: true, tools, run: async () => [] });
const SUITES = [suite("h2spec", ["h2spec"]), suite("curl", ["curl"]), suite("frames", [])];
const NAMED: Suite = { ...suite("node-http2", ["curl"]), peer: "node:http2" };
const row = (name: string, passed: number, role: Row["role"] = "server"): Row => {
  return { suite: name, role, total: passed, passed, failed: 0, skipped: 0 };
};
const linesOf = (page: string): string[] => page.split("\n").filter((line) => /^\| (?!suite|---)/.test(line));

test("a line has the suite, our role, the peer with its version and the counts", () => {
  const page = formatDocument([row("frames", 3), row("curl", 2, "client"), row("h2spec", 1)], "", SUITES);
  assert.deepEqual(linesOf(page), [
    `| h2spec | server | h2spec ${TOOLS.h2spec.version} | 1 | 1 | 0 | 0 |`,
    "| curl | client | curl of Debian | 2 | 2 | 0 | 0 |",
    "| frames | server | nothing outside the repository | 3 | 3 | 0 | 0 |",
  ]);
});

test("a suite may name its peer itself", () => {
  assert.deepEqual(linesOf(formatDocument([row("node-http2", 1)], "", [NAMED])), [
    "| node-http2 | server | node:http2, curl of Debian | 1 | 1 | 0 | 0 |",
  ]);
});

test("suites that did not run keep their lines, those that are no more lose theirs", () => {
  const before = formatDocument([row("h2spec", 1), row("curl", 2)], "", SUITES);
  const after = formatDocument([row("h2spec", 7)], before, SUITES);
  assert.deepEqual(linesOf(after), [
    `| h2spec | server | h2spec ${TOOLS.h2spec.version} | 7 | 7 | 0 | 0 |`,
    "| curl | server | curl of Debian | 2 | 2 | 0 | 0 |",
  ]);
  assert.deepEqual(linesOf(formatDocument([], before, SUITES.slice(0, 1))).length, 1);
});

test("the same counts give the same page", () => {
  const page = formatDocument([row("h2spec", 1), row("frames", 3)], "", SUITES);
  assert.equal(formatDocument([row("h2spec", 1)], page, SUITES), page);
});
