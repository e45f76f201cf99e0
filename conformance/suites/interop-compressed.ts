/**
 * The compressed cases of gRPC's interop suite, in either role. In cleartext only: that messages were compressed is seen in
 * their frames, by a relay between client and server.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { COMPRESSED_CASES, COMPRESSED_NAMES, type CompressedCaseName } from "../programs/interop-compressed-cases.ts";
import { MessageTap } from "../programs/message-tap.ts";
import { freePort, type RunningServer, startServer } from "../tools/processes.ts";
import { CLEARTEXT, connect, type Setting } from "./interop-setting.ts";
import { type CaseResult, type Checks, runChecks } from "./suite.ts";

const SERVER_PROGRAM = join(import.meta.dirname, "..", "programs", "interop-server.ts");

/** What a peer's client must have sent, and our server have answered. */
const EXPECTED: Readonly<
  Record<CompressedCaseName, { readonly requests?: boolean[]; readonly responses?: boolean[] }>
> = {
  client_compressed_unary: { requests: [false, true, false] },
  server_compressed_unary: { responses: [true, false] },
  client_compressed_streaming: { requests: [false, true, false] },
  server_compressed_streaming: { responses: [true, false] },
};

/** Our server, which notices whether requests are compressed. */
export async function startWatchedServer(): Promise<RunningServer> {
  const port = await freePort();
  return startServer(process.execPath, [SERVER_PROGRAM, String(port), "watched"], port);
}

/** `play` runs the peer's client for a case against a port. */
export function peerCompressedCases(
  play: (name: string, port: number, setting: Setting) => Promise<void>,
): Promise<CaseResult[]> {
  return withServer(startWatchedServer, async (name, tap) => {
    await play(name, tap.port, CLEARTEXT);
    const { requests, responses } = EXPECTED[name];
    if (requests !== undefined) assert.deepEqual(tap.requests, requests, "compressed requests");
    if (responses !== undefined) assert.deepEqual(tap.responses, responses, "compressed responses");
  });
}

export function ourCompressedCases(
  start: (setting: Setting) => Promise<RunningServer>,
  checksRequests: boolean,
): Promise<CaseResult[]> {
  return withServer(start, async (name, tap) => {
    await using channel = connect(tap.port, CLEARTEXT);
    await COMPRESSED_CASES[name]({ channel, tap, checksRequests });
  });
}

async function withServer(
  start: (setting: Setting) => Promise<RunningServer>,
  play: (name: CompressedCaseName, tap: MessageTap) => Promise<void>,
): Promise<CaseResult[]> {
  const server = await start(CLEARTEXT);
  const checks: Record<string, () => Promise<void>> = {};
  for (const name of COMPRESSED_NAMES) {
    checks[`cleartext ${name}`] = async () => {
      await using tap = await MessageTap.listen(server.port);
      await play(name, tap);
    };
  }
  try {
    return await runChecks(checks satisfies Checks);
  } finally {
    await server.stop();
  }
}
