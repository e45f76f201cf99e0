import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectReport } from "./connectconformance-report.ts";

const sent = (...names: string[]): string => names.map((name) => `Sending request for "${name}"...\n`).join("");

test("cases are those that were sent, with the reasons of those that failed", () => {
  const output = `${sent("a/b", "Basic/TLS:true/c", "d")}FAILED: Basic/TLS:true/c:\n\texpected x\n\tgot y\n\nTotal cases: 3\n2 passed, 1 failed\n`;
  assert.deepEqual(parseConnectReport(output), [
    { name: "Basic/TLS:true/c", outcome: "failed", detail: "expected x\n\tgot y" },
    { name: "a/b", outcome: "passed" },
    { name: "d", outcome: "passed" },
  ]);
});

test("several failures in a row, and a case that could not be sent, are told apart", () => {
  const output = `${sent("a")}FAILED: a:\n\tone\nFAILED: b:\n\ttwo\n\nTotal cases: 2\n0 passed, 2 failed\n`;
  assert.deepEqual(
    parseConnectReport(output).map(({ name, detail }) => [name, detail]),
    [
      ["a", "one"],
      ["b", "two"],
    ],
  );
});

test("output that contradicts its summary, or has none, is no result", () => {
  assert.throws(() => parseConnectReport("server did not start\n"), /no summary: server did not start/);
  assert.throws(() => parseConnectReport(`${sent("a")}Total cases: 2\n2 passed, 0 failed\n`), /1 cases and 0 failures/);
  const incomplete = "Total cases: 1\n1 passed, 0 failed\nAnother 3 could not be run due to client timing out.\n";
  assert.throws(() => parseConnectReport(sent("a") + incomplete), /could not be run/);
});
