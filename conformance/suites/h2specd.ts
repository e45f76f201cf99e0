/**
 * h2specd against our client role, over cleartext and over TLS. For each of its cases it listens as a server that misbehaves
 * in one way, runs a command that makes a request, and looks at what the client does.
 *
 * It gives the command three seconds, whatever its options say, and a busy machine takes as long to start Node. So the
 * command is curl, which starts at once and asks this process, by HTTP, to make the request.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type IdentityFiles, testIdentity, writeTestIdentity } from "../programs/certificates.ts";
import { requestOnce } from "../programs/one-request.ts";
import { runCommand } from "../tools/processes.ts";
import { parseH2specdOutput } from "./h2spec-report.ts";
import type { CaseResult, Suite, SuiteContext } from "./suite.ts";
import { WIRES, type Wire } from "./wires.ts";

const ATTEMPTS = 5;

async function run({ tool }: SuiteContext): Promise<CaseResult[]> {
  const files = writeTestIdentity();
  const requester = createServer((asked, answer) => void makeRequest(asked, answer));
  try {
    requester.listen(0, "127.0.0.1");
    await once(requester, "listening");
    const cases: CaseResult[] = [];
    for (const wire of WIRES) {
      const args = [...wireArguments(wire, files), "-e", commandFor(tool("curl"), requester)];
      const results = await runOver(tool("h2specd"), args);
      cases.push(...results.map((each) => ({ ...each, name: `${wire} ${each.name}` })));
    }
    return cases;
  } finally {
    requester.close();
    files.remove();
  }
}

function wireArguments(wire: Wire, { cert, key }: IdentityFiles): string[] {
  return wire === "TLS" ? ["--tls", "--cert-file", cert, "--cert-key-file", key] : [];
}

/** h2specd splits it at spaces and puts the address to ask behind it: it becomes the query. */
function commandFor(curl: string, requester: Server): string {
  const { port } = requester.address() as AddressInfo;
  return `${curl} --silent --get http://127.0.0.1:${port}/ --data`;
}

async function makeRequest(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const target = new URL(decodeURIComponent(asked.url?.split("?")[1] ?? ""));
  try {
    const fault = await requestOnce(target, testIdentity().ca);
    answer.end(fault?.cause);
  } catch (error) {
    answer.statusCode = 502;
    answer.end(String(error));
  }
}

async function runOver(h2specd: string, args: readonly string[]): Promise<CaseResult[]> {
  for (let attempt = 1; ; attempt++) {
    const text = await runH2specd(h2specd, args);
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

async function runH2specd(h2specd: string, extra: readonly string[]): Promise<string> {
  const firstPort = String(randomInt(20_000, 30_000));
  const args = ["-h", "127.0.0.1", "-f", firstPort, "-S", ...extra];
  const { stdout, stderr } = await runCommand(h2specd, args, { timeoutMs: 300_000 });
  return `${stdout.toString()}\n${stderr}`;
}

export const h2specd: Suite = {
  name: "h2specd",
  isFast: true,
  tools: ["h2specd", "curl"],
  run: async (context) => [{ role: "client", cases: await run(context) }],
};
