/**
 * The tools that people point at a gRPC server, against the flagship service as its own process with an embedded database. They
 * are the users' first call, so what they need to know they learn by reflection, and each sees every kind of call. Directly,
 * over TLS, and through the proxies that are there.
 */
import { join } from "node:path";
import { writeTestIdentity } from "../programs/certificates.ts";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import type { ToolName } from "../tools/versions.ts";
import { startHaproxy } from "./haproxy.ts";
import { startNginx } from "./nginx.ts";
import { type CaseResult, type Checks, runChecks, type Suite, type SuiteContext } from "./suite.ts";
import { bufBasics, bufChecks } from "./tools-buf.ts";
import { grpcJsChecks, healthProbeChecks, pythonChecks } from "./tools-clients.ts";
import { ghzBasics, ghzChecks } from "./tools-ghz.ts";
import { grpcurlBasics, grpcurlChecks } from "./tools-grpcurl.ts";
import type { Target } from "./tools-target.ts";

const USERS = join(import.meta.dirname, "..", "..", "services", "users", "src", "main.ts");

async function startUsers(env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const port = await freePort();
  const settings = { HOST: "127.0.0.1", GRPC_PORT: String(port), DATABASE_URL: "memory://", ...env };
  return startServer(process.execPath, [USERS], port, { ...process.env, ...settings });
}

/** Everything that every tool can do. */
function allChecks({ tool, optionalTool }: SuiteContext, target: Target): Checks {
  return {
    ...grpcurlChecks(tool("grpcurl"), target),
    ...bufChecks(target),
    ...ghzChecks(optionalTool("ghz"), target),
    ...clientChecks(optionalTool, target),
  };
}

/** Enough to see that the way works. */
function basicChecks({ tool, optionalTool }: SuiteContext, target: Target): Checks {
  return {
    ...grpcurlBasics(tool("grpcurl"), target),
    ...bufBasics(target),
    ...ghzBasics(optionalTool("ghz"), target),
    ...clientChecks(optionalTool, target),
  };
}

function clientChecks(optionalTool: SuiteContext["optionalTool"], target: Target): Checks {
  return {
    ...healthProbeChecks(optionalTool("grpc-health-probe"), target),
    ...pythonChecks(optionalTool("grpcio-services"), target),
    ...grpcJsChecks(target),
  };
}

type StartProxy = (path: string, backendPort: number) => Promise<RunningServer>;

const PROXIES: readonly (readonly [ToolName, StartProxy])[] = [
  ["nginx", startNginx],
  ["haproxy", startHaproxy],
];

async function runProxied(context: SuiteContext, backendPort: number): Promise<CaseResult[]> {
  const cases: CaseResult[] = [];
  for (const [name, start] of PROXIES) {
    const path = context.optionalTool(name);
    if (path === undefined) {
      cases.push({ name: `through ${name}`, outcome: "skipped", detail: `there is no ${name}` });
      continue;
    }
    const proxy = await start(path, backendPort);
    try {
      cases.push(...(await runChecks(basicChecks(context, { port: proxy.port, by: `through ${name}` }))));
    } finally {
      await proxy.stop();
    }
  }
  return cases;
}

async function runPlain(context: SuiteContext): Promise<CaseResult[]> {
  const users = await startUsers();
  try {
    const direct = await runChecks(allChecks(context, { port: users.port, by: "" }));
    return [...direct, ...(await runProxied(context, users.port))];
  } finally {
    await users.stop();
  }
}

async function runSecure(context: SuiteContext): Promise<CaseResult[]> {
  const files = writeTestIdentity();
  try {
    const users = await startUsers({ TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
    try {
      return await runChecks(basicChecks(context, { port: users.port, by: "over TLS", files }));
    } finally {
      await users.stop();
    }
  } finally {
    files.remove();
  }
}

async function run(context: SuiteContext): ReturnType<Suite["run"]> {
  return [{ role: "server", cases: [...(await runPlain(context)), ...(await runSecure(context))] }];
}

export const tools: Suite = {
  name: "tools",
  isFast: false,
  tools: ["grpcurl"],
  optionalTools: ["ghz", "grpc-health-probe", "grpcio-services", "nginx", "haproxy"],
  run,
};
