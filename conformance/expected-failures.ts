/**
 * The list of cases that are known to fail. Owns the file's syntax and what the list means for a run's verdict.
 * Invariant: a listed case must fail; one that passes, or that a suite no longer has, is an error as a failure is.
 */
import type { CaseResult, RoleResult } from "./suites/suite.ts";

/** The name of a case over all suites, as the list and the run's output spell it. */
export function caseKey(suite: string, role: string, name: string): string {
  return `${suite} ${role} ${name}`;
}

/** One case a line; empty lines and those that begin with # are comments. */
export function parseExpectedFailures(text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => line.trim());
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}

/** What is wrong with the results of one suite, a line each; nothing where all is as expected. */
export function findProblems(suite: string, results: readonly RoleResult[], expected: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { role, cases } of results) {
    for (const each of cases) {
      const key = caseKey(suite, role, each.name);
      seen.add(key);
      const problem = describeProblem(key, each, expected.has(key));
      if (problem !== undefined) problems.push(problem);
    }
  }
  for (const key of expected) {
    if (key.startsWith(`${suite} `) && !seen.has(key))
      problems.push(`${key}: expected to fail, and there is no such case`);
  }
  return problems;
}

function describeProblem(key: string, { outcome, detail }: CaseResult, isExpected: boolean): string | undefined {
  if (outcome === "passed")
    return isExpected ? `${key}: expected to fail, but it passed; take it off the list` : undefined;
  if (outcome === "failed" && !isExpected) return `${key}: failed: ${oneLine(detail ?? "no reason given")}`;
  return undefined;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 500);
}
