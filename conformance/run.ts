/**
 * `npm run conformance`: runs outside suites against the library and prints their counts. Owns the order of things; what a
 * suite does is in `suites/`, where its tools come from in `tools/`.
 *
 * Exits with 1 if a case failed that is not on the list of expected failures, or one on it passed; with 2 if the command
 * line is wrong. A suite that cannot run here is named and left out: that is no failure.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, readCommandLine, usage } from "./command-line.ts";
import { formatDocument } from "./document.ts";
import { findProblems, parseExpectedFailures } from "./expected-failures.ts";
import { formatTable, mergeRuns, type Row, toRows } from "./report.ts";
import { SUITES } from "./suites/index.ts";
import type { RoleResult, Suite, SuiteContext } from "./suites/suite.ts";
import { type InstallOptions, type Located, locateTool } from "./tools/install.ts";
import type { ToolName } from "./tools/versions.ts";

const DOCUMENT = join(import.meta.dirname, "..", "docs", "conformance.md");

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

interface Report {
  readonly rows: Row[];
  readonly problems: string[];
  readonly skips: string[];
  readonly leftOut: string[];
}

async function run(commandLine: CommandLine): Promise<void> {
  const expected = parseExpectedFailures(readFileSync(join(import.meta.dirname, "expected-failures.txt"), "utf8"));
  const report: Report = { rows: [], problems: [], skips: [], leftOut: [] };
  for (const suite of SUITES.filter(({ name }) => commandLine.suites.includes(name))) {
    await runSuite(suite, commandLine, expected, report);
  }
  printReport(report);
  if (commandLine.jsonFile !== undefined) {
    writeFileSync(commandLine.jsonFile, `${JSON.stringify(report.rows, null, 2)}\n`);
  }
  if (commandLine.writesDocument) writeDocument(report.rows);
  if (report.problems.length > 0) process.exitCode = 1;
}

function writeDocument(rows: readonly Row[]): void {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "";
  writeFileSync(DOCUMENT, formatDocument(rows, before, SUITES));
}

async function runSuite(
  suite: Suite,
  { isFast, repeat }: CommandLine,
  expected: ReadonlySet<string>,
  report: Report,
): Promise<void> {
  log(`== ${suite.name}`);
  const startedAt = performance.now();
  const absence = suite.absence?.();
  const context = absence ?? (await createContext(suite, { isFast, log }));
  if (typeof context === "string") {
    report.leftOut.push(`${suite.name}: ${context}`);
    return;
  }
  try {
    const runs: (readonly RoleResult[])[] = [];
    for (let count = 0; count < repeat; count++) runs.push(await suite.run(context));
    const results = mergeRuns(runs);
    report.rows.push(...toRows(suite.name, results));
    report.problems.push(...findProblems(suite.name, results, expected));
    report.skips.push(...describeSkips(suite.name, results));
  } catch (error) {
    report.problems.push(`${suite.name}: did not run: ${(error as Error).message}`);
  }
  log(`   ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The tools of a suite, or why it cannot run. */
async function createContext(suite: Suite, options: InstallOptions): Promise<SuiteContext | string> {
  const paths = new Map<ToolName, string>();
  for (const name of suite.tools) {
    const located: Located = await locateTool(name, options);
    if ("missing" in located) return located.missing;
    paths.set(name, located.path);
  }
  for (const name of suite.optionalTools ?? []) {
    const located: Located = await locateTool(name, options);
    if ("missing" in located) log(`   ${located.missing}`);
    else paths.set(name, located.path);
  }
  const tool = (name: ToolName): string => {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`the suite ${suite.name} uses ${name} without listing it`);
    return path;
  };
  return { tool, optionalTool: (name) => paths.get(name), log: (line) => log(`   ${line}`) };
}

function describeSkips(suite: string, results: readonly RoleResult[]): string[] {
  const skipped = results.flatMap(({ cases }) => cases).filter(({ outcome }) => outcome === "skipped");
  const reasons = Map.groupBy(skipped, ({ detail }) => detail ?? "no reason given");
  return [...reasons].map(([reason, cases]) => `${suite}: ${cases.length} skipped: ${reason}`);
}

function printReport({ rows, problems, skips, leftOut }: Report): void {
  console.log(rows.length > 0 ? formatTable(rows) : "no suite ran");
  for (const line of skips) console.log(line);
  for (const line of leftOut) console.log(`left out: ${line}`);
  for (const line of problems) console.log(`PROBLEM ${line}`);
  const sum = (key: "passed" | "failed" | "skipped"): number => rows.reduce((total, row) => total + row[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
}

// Servers under test are killed when this process exits, and a signal alone is no exit.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

let commandLine: CommandLine | undefined;
try {
  commandLine = readCommandLine(process.argv.slice(2), SUITES);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${usage(SUITES)}\n`);
  process.exitCode = 2;
}
if (commandLine !== undefined) {
  await run(commandLine);
  // A case that hung may still hold a socket or a timer.
  process.exit();
}
