/**
 * h2spec against the echo example, which is the core and nothing else, over cleartext and over TLS. Strict: its one optional
 * case counts too. It accepts a connection error where a stream error would do, so it does not limit how hard we answer.
 *
 * 147 cases each way: the 146 of release 2.2.1, the last one that the Go module proxy has (see `tools/versions.ts`), and the
 * one that has come since, which is played here (`h2spec-later.ts`).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IdentityFiles, writeTestIdentity } from "../programs/certificates.ts";
import { freePort, runCommand, startServer } from "../tools/processes.ts";
import { runLaterCases } from "./h2spec-later.ts";
import { parseH2specReport } from "./h2spec-report.ts";
import type { CaseResult, Suite, SuiteContext } from "./suite.ts";

const ECHO = join(import.meta.dirname, "..", "..", "examples", "h2-echo.ts");

/** For each case; nothing waits for it but a case that fails. */
const TIMEOUT_SECONDS = "30";

/** One row a way to connect: arguments of the echo program, and of h2spec. */
interface Variant {
  readonly name: string;
  readonly server: readonly string[];
  readonly client: readonly string[];
}

const variants = ({ cert, key }: IdentityFiles): readonly Variant[] => [
  { name: "cleartext", server: [], client: [] },
  { name: "TLS", server: [cert, key], client: ["--tls", "--insecure"] },
];

async function run({ tool }: SuiteContext): Promise<CaseResult[]> {
  const files = writeTestIdentity();
  try {
    const cases: CaseResult[] = [];
    for (const variant of variants(files)) cases.push(...(await runVariant(tool("h2spec"), variant)));
    return cases;
  } finally {
    files.remove();
  }
}

async function runVariant(h2spec: string, variant: Variant): Promise<CaseResult[]> {
  const port = await freePort();
  const server = await startServer(process.execPath, [ECHO, String(port), ...variant.server], port);
  try {
    const results = await runH2spec(h2spec, port, variant.client);
    results.push(...(await runLaterCases(port, variant.server.length > 0)));
    return results.map((each) => ({ ...each, name: `${variant.name} ${each.name}` }));
  } finally {
    await server.stop();
  }
}

async function runH2spec(h2spec: string, port: number, extra: readonly string[]): Promise<CaseResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "h2spec-"));
  const report = join(folder, "junit.xml");
  try {
    const args = [
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "-P",
      "/",
      "-S",
      "-o",
      TIMEOUT_SECONDS,
      "-j",
      report,
      ...extra,
    ];
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
