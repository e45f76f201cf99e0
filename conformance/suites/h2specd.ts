/**
 * h2specd against our client role: for each of its cases it starts `programs/one-request.ts`, listens as a server that
 * misbehaves in one way, and looks at what the client does.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { runCommand } from "../tools/processes.ts";
import { parseH2specdOutput } from "./h2spec-report.ts";
import type { CaseResult, Suite, SuiteContext } from "./suite.ts";

const PROGRAMS = join(import.meta.dirname, "..", "programs");
const ATTEMPTS = 5;

async function run({ tool }: SuiteContext): Promise<CaseResult[]> {
  for (let attempt = 1; ; attempt++) {
    const text = await runH2specd(tool("h2specd"));
    // It takes a port for each case, in a row, and has no way to look for free ones.
    if (!text.includes("address already in use") || attempt === ATTEMPTS) return readCases(text);
  }
}

function readCases(text: string): CaseResult[] {
  const cases = parseH2specdOutput(text);
  const counted = /^(\d+) tests,/m.exec(text)?.[1];
  if (counted === undefined || Number(counted) === cases.length) return cases;
  throw new Error(`its output has ${cases.length} cases, its summary says ${counted}`);
}

async function runH2specd(h2specd: string): Promise<string> {
  const firstPort = String(randomInt(20_000, 30_000));
  // It splits the command at spaces, hence the program by its name alone.
  const args = ["-h", "127.0.0.1", "-f", firstPort, "-S", "-e", `${process.execPath} one-request.ts`];
  const { stdout, stderr } = await runCommand(h2specd, args, { cwd: PROGRAMS, timeoutMs: 300_000 });
  return `${stdout.toString()}\n${stderr}`;
}

export const h2specd: Suite = {
  name: "h2specd",
  isFast: false,
  tools: ["h2specd"],
  run: async (context) => [{ role: "client", cases: await run(context) }],
};
