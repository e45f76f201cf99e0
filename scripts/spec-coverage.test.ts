// Owns: the proof that docs/spec says what the code and its tests say, and that a missing test would be listed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COVERAGE_FILE, coverRules, findStale, renderCoverage } from "./spec-coverage.ts";
import { SPEC_RULES, type SpecRule } from "./spec-coverage-rules.ts";
import { readTestNames } from "./spec-test-names.ts";
import { renderStateTable, STATE_TABLE_FILE } from "./state-table.ts";

const repository = join(import.meta.dirname, "..");
const names = readTestNames(repository);

test("docs/spec is up to date; npm run spec writes it anew", () => {
  const isUpToDate = (file: string, text: string) => readFileSync(join(repository, file), "utf8") === text;
  assert.ok(isUpToDate(STATE_TABLE_FILE, renderStateTable()), STATE_TABLE_FILE);
  assert.ok(isUpToDate(COVERAGE_FILE, renderCoverage(names)), COVERAGE_FILE);
});

test("no MUST is without a test or a reason", () => {
  const open = coverRules(names).filter(({ rule, tests }) => tests.length === 0 && rule.untested === undefined);
  assert.deepEqual(
    open.map(({ rule }) => `RFC ${rule.rfc} §${rule.section} ${rule.text}`),
    [],
  );
});

test("no rule is there twice, and each has words or a reason", () => {
  assert.deepEqual(findStale(coverRules(names)), []);
});

test("names that loops put together are whole, and those of suites belong to their tests", () => {
  const all = names.map(({ name }) => name);
  assert.ok(all.includes("§3.4 HEADERS before SETTINGS is a connection error"));
  assert.ok(all.some((name) => name.startsWith("malformed blocks: §6.1 index 0")));
  assert.ok(all.length > 300, `${all.length} names`);
});

test("a test is about a rule by its RFC, section and words", () => {
  const rule: SpecRule = { rfc: "9113", section: "6.9", sections: ["6.9"], text: "zero", words: /of 0/ };
  const file = "test/http2/a.test.ts";
  const covers = (name: string, from = file) => coverRules([{ file: from, name }], [rule])[0]!.tests.length === 1;
  assert.ok(covers("§6.9 an increment of 0"));
  assert.ok(!covers("§6.9.1 an increment of 0"), "another section");
  assert.ok(!covers("§6.9 an increment of 1"), "other words");
  assert.ok(!covers("RFC 7540 §6.9 an increment of 0"), "another RFC");
  assert.ok(!covers("§6.9 an increment of 0", "src/http2/hpack/a.test.ts"), "a section of HPACK");
  assert.ok(covers("RFC 9113 §6.9 an increment of 0", "src/http2/hpack/a.test.ts"));
});

test("a rule whose test goes away is listed among those without", () => {
  const without = names.filter(({ name }) => !name.includes("PING is answered"));
  const list = (text: string): string => text.split("## Rules without a test, for a reason")[0]!;
  assert.ok(!list(renderCoverage(names)).includes("answered with ACK"));
  assert.ok(list(renderCoverage(without)).includes("| RFC 9113 §6.7 | a PING without ACK is answered with ACK"));
});

test("both RFCs have rules of every chapter that is implemented", () => {
  const chapters = (rfc: string) =>
    new Set(SPEC_RULES.filter((rule) => rule.rfc === rfc).map(({ section }) => section.split(".")[0]));
  assert.deepEqual([...chapters("9113")], ["3", "4", "5", "6", "7", "8", "9", "10"]);
  assert.deepEqual([...chapters("7541")], ["2", "3", "4", "5", "6", "7"]);
});
