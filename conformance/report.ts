/**
 * Results as numbers: rows, their table, and several runs of a suite as one. Must not know suites or files.
 */
import type { CaseResult, Outcome, RoleResult, SuiteRole } from "./suites/suite.ts";

/** One line of the table and one element of the JSON file. */
export interface Row {
  readonly suite: string;
  readonly role: SuiteRole;
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const HEADINGS = ["suite", "role", "total", "passed", "failed", "skipped"] as const;

export function toRows(suite: string, results: readonly RoleResult[]): Row[] {
  return results.map(({ role, cases }) => {
    const count = (outcome: Outcome): number => cases.filter((each) => each.outcome === outcome).length;
    const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
    return { suite, role, total: cases.length, ...counts };
  });
}

export function formatTable(rows: readonly Row[]): string {
  const lines = [[...HEADINGS], ...rows.map((row) => HEADINGS.map((heading) => String(row[heading])))];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, at) => alignCell(cell, at, widths[at]!)).join("  ")).join("\n");
}

/** Words to the left, numbers to the right. */
function alignCell(cell: string, column: number, width: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

/** Several runs of one suite as one: a case has the worst outcome it had, and says in how many runs. */
export function mergeRuns(runs: readonly (readonly RoleResult[])[]): readonly RoleResult[] {
  if (runs.length === 1) return runs[0]!;
  const roles = Map.groupBy(runs.flat(), ({ role }) => role);
  return [...roles].map(([role, results]) => {
    const byName = Map.groupBy(
      results.flatMap(({ cases }) => cases),
      ({ name }) => name,
    );
    return { role, cases: [...byName.values()].map((cases) => mergeCases(cases, runs.length)) };
  });
}

function mergeCases(cases: readonly CaseResult[], runs: number): CaseResult {
  const { name } = cases[0]!;
  const failures = cases.filter(({ outcome }) => outcome === "failed");
  if (failures.length > 0) {
    const reason = failures[0]!.detail ?? "no reason given";
    return { name, outcome: "failed", detail: `in ${failures.length} of ${runs} runs: ${reason}` };
  }
  // A case that a run did not have at all is no success.
  if (cases.length < runs)
    return { name, outcome: "failed", detail: `missing in ${runs - cases.length} of ${runs} runs` };
  return cases.find(({ outcome }) => outcome === "skipped") ?? { name, outcome: "passed" };
}
