/**
 * What connectconformance writes with --vv, as cases. Owns its syntax: a line when it sends each request, a block for each
 * case that failed, and a summary.
 *
 * Invariant: the cases add up to the summary; output that does not is no result.
 */
import type { CaseResult } from "./suite.ts";

const STARTED = /Sending request for "(.+)"\.\.\.$/gm;
const FAILED = /^FAILED: (\S.*?)(?::\n((?:\t.*\n?)*)| was expected to fail but did not$)/gm;
const SUMMARY = /^Total cases: (\d+)\n(\d+) passed, (\d+) failed$/m;

/** Throws where the output has no summary or contradicts it. */
export function parseConnectReport(text: string): CaseResult[] {
  const summary = SUMMARY.exec(text);
  if (summary === null) throw new Error(`it gave no summary: ${text.trim().split("\n").slice(-5).join(" | ")}`);
  const [total, passed, failed] = summary.slice(1).map(Number);
  const failures = new Map(Array.from(text.matchAll(FAILED), ([, name, detail = ""]) => [name!, detail.trim()]));
  const names = new Set(Array.from(text.matchAll(STARTED), ([, name]) => name!));
  for (const name of failures.keys()) names.add(name);
  if (names.size !== total || failures.size !== failed || passed !== names.size - failures.size) {
    throw new Error(`its output has ${names.size} cases and ${failures.size} failures, its summary says ${summary[0]}`);
  }
  if (/could not be run/.test(text)) throw new Error("some of its cases could not be run");
  return [...names].sort().map((name): CaseResult => {
    const detail = failures.get(name);
    return detail === undefined ? { name, outcome: "passed" } : { name, outcome: "failed", detail };
  });
}
