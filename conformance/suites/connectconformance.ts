/**
 * connectrpc's conformance suite, as far as it is about gRPC over HTTP/2: our programs against its reference
 * implementations and grpc-go's. Nothing is known to fail or to be flaky: it is given no such list.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../tools/processes.ts";
import { parseConnectReport } from "./connectconformance-report.ts";
import type { CaseResult, Suite, SuiteRole } from "./suite.ts";

const PROGRAMS = join(import.meta.dirname, "..", "programs");
const LIMIT_MS = 900_000;

const CONFIG = `features:
  versions: [HTTP_VERSION_2]
  protocols: [PROTOCOL_GRPC]
  codecs: [CODEC_PROTO]
  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]
  supportsH2c: true
  supportsTls: true
  supportsTlsClientCerts: true
  supportsMessageReceiveLimit: true
`;

async function runRole(command: string, role: SuiteRole): Promise<CaseResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "connectconformance-"));
  try {
    const config = join(folder, "config.yaml");
    writeFileSync(config, CONFIG);
    const program = [process.execPath, join(PROGRAMS, `connect-${role}.ts`)];
    const options = { timeoutMs: LIMIT_MS };
    const { stdout, stderr } = await runCommand(
      command,
      ["--vv", "--conf", config, "--mode", role, "--", ...program],
      options,
    );
    return parseConnectReport(`${stdout.toString()}\n${stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const connectconformance: Suite = {
  name: "connectconformance",
  isFast: false,
  tools: ["connectconformance"],
  async run({ tool }) {
    const command = tool("connectconformance");
    const asServer = await runRole(command, "server");
    return [
      { role: "server", cases: asServer },
      { role: "client", cases: await runRole(command, "client") },
    ];
  },
};
