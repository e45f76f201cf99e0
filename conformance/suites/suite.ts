/**
 * What every suite is: a name, the tools it needs, and a run that ends in cases. Owns the words of a result and the way a
 * list of checks becomes cases; must not know any suite, the command line or the table.
 *
 * Invariant: a check that hangs becomes a failed case, so that one stuck peer never stops the run.
 */
import type { ToolName } from "../tools/versions.ts";

/** The side that we play. */
export type SuiteRole = "server" | "client";
export type Outcome = "passed" | "failed" | "skipped";

export interface CaseResult {
  readonly name: string;
  readonly outcome: Outcome;
  /** Why it failed or was skipped. */
  readonly detail?: string;
}

export interface RoleResult {
  readonly role: SuiteRole;
  readonly cases: readonly CaseResult[];
}

export interface SuiteContext {
  /** Where each tool of {@link Suite.tools} is. */
  readonly tool: (name: ToolName) => string;
  /** The same for a tool of {@link Suite.optionalTools}; undefined where it is missing. */
  readonly optionalTool: (name: ToolName) => string | undefined;
  readonly log: (line: string) => void;
}

export interface Suite {
  readonly name: string;
  /** Part of `--fast`: short, and needs nothing that takes long to install. */
  readonly isFast: boolean;
  /** Without these the suite is left out. */
  readonly tools: readonly ToolName[];
  /** Without these some of its cases are skipped. */
  readonly optionalTools?: readonly ToolName[];
  /** Whom it runs against, where that is none of its tools. */
  readonly peer?: string;
  /** Why the suite cannot run here, or undefined where it can. */
  readonly absence?: () => string | undefined;
  readonly run: (context: SuiteContext) => Promise<readonly RoleResult[]>;
}

export type Check = () => Promise<void> | void;
export type Checks = Readonly<Record<string, Check>>;

/** Thrown by a check that cannot say anything here. */
export class SkippedCase extends Error {}

const CASE_LIMIT_MS = 60_000;

/** Runs checks one after the other. */
export async function runChecks(checks: Checks, limitMs: number = CASE_LIMIT_MS): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [name, check] of Object.entries(checks)) results.push(await runCheck(name, check, limitMs));
  return results;
}

async function runCheck(name: string, check: Check, limitMs: number): Promise<CaseResult> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`not finished after ${limitMs} ms`)), limitMs);
  try {
    await Promise.race([check(), limit.promise]);
    return { name, outcome: "passed" };
  } catch (error) {
    if (error instanceof SkippedCase) return { name, outcome: "skipped", detail: error.message };
    return { name, outcome: "failed", detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
