/**
 * What the interop suites share: each case in cleartext and over TLS, our server as a process and our client's cases as
 * checks. Must not know any peer.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Channel } from "volant";
import { type IdentityFiles, writeTestIdentity } from "../programs/certificates.ts";
import { INTEROP_CASES, type InteropCaseName } from "../programs/interop-cases.ts";
import { channelSoak, rpcSoak, type SoakOptions } from "../programs/interop-soak.ts";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import { type CaseResult, runChecks, SkippedCase } from "./suite.ts";

const SERVER_PROGRAM = join(import.meta.dirname, "..", "programs", "interop-server.ts");

/** Whom the certificate is made out to; peers must be told, because the address is that of this machine. */
export const TLS_SERVER_NAME = "localhost";

/** How a peer is reached: `tls` is missing for cleartext. */
export interface Setting {
  readonly name: string;
  readonly tls: IdentityFiles | undefined;
}

export const CLEARTEXT: Setting = { name: "cleartext", tls: undefined };

/** Cases that a peer has no part for, and why. */
export type Unable = Partial<Record<InteropCaseName, string>>;

export const SOAK: SoakOptions = { iterations: 10_000, width: 8, maxLatencyMs: 10_000 };
export const SOAK_LIMIT_MS = 1_200_000;

/** Runs `use` in cleartext and then over TLS. */
export async function inEachSetting(use: (setting: Setting) => Promise<CaseResult[]>): Promise<CaseResult[]> {
  const tls = writeTestIdentity();
  try {
    return [...(await use(CLEARTEXT)), ...(await use({ name: "TLS", tls }))];
  } finally {
    tls.remove();
  }
}

/** Our server in a process of its own. */
export async function startOurServer({ tls }: Setting): Promise<RunningServer> {
  const port = await freePort();
  const files = tls === undefined ? [] : [tls.cert, tls.key];
  return startServer(process.execPath, [SERVER_PROGRAM, String(port), ...files], port);
}

export function connect(port: number, { tls }: Setting): Channel {
  const secure = tls === undefined ? {} : { tls: { ca: readFileSync(tls.ca), servername: TLS_SERVER_NAME } };
  return new Channel(`127.0.0.1:${port}`, secure);
}

/** Cases that a peer's client plays against our server; for those in `unable` it says why the client cannot. */
export function peerCases(
  names: readonly InteropCaseName[],
  unable: Unable,
  play: (name: InteropCaseName, port: number, setting: Setting) => Promise<void>,
): Promise<CaseResult[]> {
  return againstServers(names, unable, startOurServer, play);
}

/** Cases that our client plays against the server of a peer; for those in `unable` it says why the server cannot. */
export function ourCases(
  names: readonly InteropCaseName[],
  unable: Unable,
  start: (setting: Setting) => Promise<RunningServer>,
): Promise<CaseResult[]> {
  return againstServers(names, unable, start, async (name, port, setting) => {
    await using channel = connect(port, setting);
    await INTEROP_CASES[name](channel);
  });
}

function againstServers(
  names: readonly InteropCaseName[],
  unable: Unable,
  start: (setting: Setting) => Promise<RunningServer>,
  play: (name: InteropCaseName, port: number, setting: Setting) => Promise<void>,
): Promise<CaseResult[]> {
  return inEachSetting(async (setting) => {
    const server = await start(setting);
    const checks: Record<string, () => Promise<void>> = {};
    for (const name of names) {
      checks[`${setting.name} ${name}`] = async () => {
        const reason = unable[name];
        if (reason !== undefined) throw new SkippedCase(reason);
        await play(name, server.port, setting);
      };
    }
    try {
      return await runChecks(checks);
    } finally {
      await server.stop();
    }
  });
}

/** Both soaks of our client, in cleartext. */
export async function ourSoaks(start: (setting: Setting) => Promise<RunningServer>): Promise<CaseResult[]> {
  const server = await start(CLEARTEXT);
  try {
    const open = (): Channel => connect(server.port, CLEARTEXT);
    const checks = { rpc_soak: () => rpcSoak(open, SOAK), channel_soak: () => channelSoak(open, SOAK) };
    return await runChecks(checks, SOAK_LIMIT_MS);
  } finally {
    await server.stop();
  }
}
