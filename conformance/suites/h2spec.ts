/**
 * h2spec against the echo example, which is the core and nothing else. Strict: its one optional case counts too. It accepts
 * a connection error where a stream error would do, so it does not limit how hard we answer.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, runCommand, startServer } from "../tools/processes.ts";
import { parseH2specReport } from "./h2spec-report.ts";
import type { CaseResult, Suite, SuiteContext } from "./suite.ts";

const ECHO = join(import.meta.dirname, "..", "..", "examples", "h2-echo.ts");

/** One row a way to connect: arguments of the echo program, and of h2spec. */
const VARIANTS: readonly { readonly name: string; readonly server: string[]; readonly client: string[] }[] = [
  { name: "cleartext", server: [], client: [] },
];

async function run({ tool }: SuiteContext): Promise<CaseResult[]> {
  const cases: CaseResult[] = [];
  for (const variant of VARIANTS) {
    const port = await freePort();
    const server = await startServer(process.execPath, [ECHO, String(port), ...variant.server], port);
    try {
      const results = await runH2spec(tool("h2spec"), port, variant.client);
      cases.push(...results.map((each) => ({ ...each, name: `${variant.name} ${each.name}` })));
    } finally {
      await server.stop();
    }
  }
  return cases;
}

async function runH2spec(h2spec: string, port: number, extra: readonly string[]): Promise<CaseResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "h2spec-"));
  const report = join(folder, "junit.xml");
  try {
    const args = ["-h", "127.0.0.1", "-p", String(port), "-P", "/", "-S", "-o", "2", "-j", report, ...extra];
    const { stdout, stderr } = await runCommand(h2spec, args, { timeoutMs: 300_000 });
    const cases = parseH2specReport(readFileSync(report, "utf8"));
    const counted = /^(\d+) tests,/m.exec(stdout.toString())?.[1];
    if (String(cases.length) === counted) return cases;
    throw new Error(`its report has ${cases.length} cases, its summary says ${counted ?? stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const h2spec: Suite = {
  name: "h2spec",
  isFast: true,
  tools: ["h2spec"],
  run: async (context) => [{ role: "server", cases: await run(context) }],
};
