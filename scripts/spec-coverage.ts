// Owns: `docs/spec/coverage.md`: which rules of the RFCs have tests, by the sections that the names of tests carry.
// Must not know: how names are collected (spec-test-names.ts).
// Invariant: the same rules and names give the same text.

import { SPEC_RULES, type SpecRule } from "./spec-coverage-rules.ts";
import type { TestName } from "./spec-test-names.ts";

export const COVERAGE_FILE = "docs/spec/coverage.md";

interface Tagged {
  readonly rfc: string;
  readonly section: string;
  readonly name: string;
}

export interface CoveredRule {
  readonly rule: SpecRule;
  /** Names of tests, without duplicates. */
  readonly tests: readonly string[];
}

const TITLES: Readonly<Record<SpecRule["rfc"], string>> = { "9113": "RFC 9113, HTTP/2", "7541": "RFC 7541, HPACK" };
/** Everything of HPACK up to its security considerations; beyond that a bare section is one of RFC 9113. */
const LAST_HPACK_SECTION = 7;

/** Every section that a name carries: `§6.9.1`, `RFC 9110 §8.6`. A bare one belongs to the RFC of the file's folder. */
function tagsOf({ file, name }: TestName): Tagged[] {
  return Array.from(name.matchAll(/(?:RFC (\d+) )?§(\d+(?:\.\d+)*)/g), ([, named, section = ""]) => {
    const isHpack = file.includes("/hpack/") && Number.parseInt(section, 10) <= LAST_HPACK_SECTION;
    return { rfc: named ?? (isHpack ? "7541" : "9113"), section, name: shorten(name) };
  });
}

/** One line for both roles, and without the tag itself. */
function shorten(name: string): string {
  return name
    .replace(/ of a (?:client|server) with its reason, and nothing is read after it$/, ", in either role")
    .replace(/ on a (?:client|server), and the connection goes on$/, ", in either role")
    .replace(/(?:RFC \d+ )?§[\d.]+\d:? /, "");
}

export function coverRules(names: readonly TestName[], rules: readonly SpecRule[] = SPEC_RULES): CoveredRule[] {
  const tagged = names.flatMap(tagsOf);
  return rules.map((rule) => {
    const own = tagged.filter(({ rfc, section }) => rfc === rule.rfc && rule.sections.includes(section));
    const tests = own.filter(({ name }) => rule.words?.test(name) ?? false).map(({ name }) => name);
    return { rule, tests: [...new Set(tests)] };
  });
}

/** What is wrong with the rules themselves. */
export function findStale(covered: readonly CoveredRule[]): string[] {
  const keys = covered.map(({ rule }) => `§${rule.section} ${rule.text}`);
  return [
    ...keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `${key}: is there twice`),
    ...covered
      .filter(({ rule }) => (rule.words === undefined) === (rule.untested === undefined))
      .map(({ rule }) => `§${rule.section} ${rule.text}: needs words or a reason, not both`),
  ];
}

export function renderCoverage(names: readonly TestName[]): string {
  const covered = coverRules(names);
  const open = covered.filter(({ rule, tests }) => tests.length === 0 && rule.untested === undefined);
  const excused = covered.filter(({ rule }) => rule.untested !== undefined);
  const tested = covered.length - open.length - excused.length;
  return [
    "# Coverage of the specifications",
    "",
    "The MUST and MUST NOT rules of the sections that `packages/volant/src/http2` implements, in our own words, and the tests",
    "that are about each. A test is found by the section in its name (`§6.9.1 …`) and by words of the rule.",
    "",
    "This file is written by `npm run spec`; a test fails when it is not up to date.",
    "",
    `${covered.length} rules: ${tested} have tests, ${excused.length} have none for a reason, ${open.length} have none.`,
    "",
    "## Rules without a test",
    "",
    ...(open.length === 0
      ? ["None."]
      : ["| Section | Rule |", "| --- | --- |", ...open.map(({ rule }) => openRow(rule))]),
    "",
    "## Rules without a test, for a reason",
    "",
    "| Section | Rule | Reason |",
    "| --- | --- | --- |",
    ...excused.map(({ rule }) => `| RFC ${rule.rfc} §${rule.section} | ${cell(rule.text)} | ${cell(rule.untested!)} |`),
    ...(["9113", "7541"] as const).flatMap((rfc) => renderRfc(rfc, covered)),
    "",
  ].join("\n");
}

function openRow({ rfc, section, text }: SpecRule): string {
  return `| RFC ${rfc} §${section} | ${cell(text)} |`;
}

function renderRfc(rfc: SpecRule["rfc"], covered: readonly CoveredRule[]): string[] {
  const rows = covered.filter(({ rule, tests }) => rule.rfc === rfc && tests.length > 0);
  return [
    "",
    `## ${TITLES[rfc]}`,
    "",
    "| Section | Rule | Tests |",
    "| --- | --- | --- |",
    ...rows.map(({ rule, tests }) => `| §${rule.section} | ${cell(rule.text)} | ${tests.map(cell).join("<br>")} |`),
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
