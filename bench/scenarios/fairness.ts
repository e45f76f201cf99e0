// Owns: what one client costs others: the p99 of an honest client's calls while eight connections of one other address flood the server
// with legal calls, or with calls of unknown methods; and how long a turn of the loop is when 2 MB of tiny frames wait on each of 16
// sockets. In cleartext and over TLS.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttackJob, AttackKind, AttackReport, ServerJob, ServerReport } from "../fairness/protocol.ts";
import type { ProbeJob, ProbeReport } from "../floods/protocol.ts";
import { GENERATOR_CORE, SERVER_CORE } from "../lib/cores.ts";
import { raisePriority } from "../lib/priority.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { createTlsFiles, readAuthority, readIdentity } from "../lib/tls-files.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const BENCH = join(import.meta.dirname, "..");
const FOLDER = join(BENCH, "fairness");
const ATTACKER = "127.0.0.2";
const PROBE: ProbeJob = { seconds: 3, callsPerSecond: 100 };
/** From the first byte of an attack to the first call that is measured. */
const LEAD_MS = 1_000;
const SOCKETS = 16;
/** For that many handshakes. */
const OPENS_MS = 400;
const HELD_UP_MS = 800;
const WATCHED_MS = 1_200;

export const fairness: Scenario = { name: "fairness", run: runFairness };

interface Bench {
  readonly transport: "cleartext" | "TLS";
  readonly server: WorkerProcess<ServerJob, ServerReport>;
  readonly attacker: WorkerProcess<AttackJob, AttackReport>;
  readonly port: number;
  /** Of the certificates; undefined: cleartext. */
  readonly folder: string | undefined;
  readonly ca: string | undefined;
  readonly log: (line: string) => void;
}

async function runFairness({ log }: RunOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const transport of ["cleartext", "TLS"] as const) {
    const files = transport === "TLS" ? createTlsFiles() : undefined;
    const folder = files?.folder;
    const server = await startWorker<ServerJob, ServerReport>(SERVER_CORE, join(FOLDER, "server.ts"));
    const attacker = await startWorker<AttackJob, AttackReport>(GENERATOR_CORE, join(FOLDER, "attacker.ts"));
    try {
      raisePriority(server.pid);
      const { port } = await server.run({ what: "listen", ...(folder !== undefined && { tls: readIdentity(folder) }) });
      const ca = folder === undefined ? undefined : readAuthority(folder);
      const bench: Bench = { transport, server, attacker, port: port!, folder, ca, log };
      rows.push(await measureTurn(bench), ...(await measureOthers(bench)));
    } finally {
      await Promise.all([attacker.stop(), server.stop()]);
      files?.remove();
    }
  }
  return rows;
}

async function measureTurn({ transport, server, attacker, port, ca, log }: Bench): Promise<Row> {
  const sendsAt = Date.now() + OPENS_MS + 100;
  const seconds = (HELD_UP_MS + WATCHED_MS) / 1_000;
  const attack = attacker.run({
    kind: "tiny frames",
    port,
    ca,
    localAddress: ATTACKER,
    connections: SOCKETS,
    seconds,
    sendsAt,
  });
  await sleep(OPENS_MS);
  const { longestTurnMs } = await server.run({ what: "watch", heldUpMs: HELD_UP_MS, watchedMs: WATCHED_MS });
  await attack;
  log(`${transport}: longest turn ${longestTurnMs!.toFixed(1)} ms`);
  return judge(findTarget("fairness", `longest turn, ${transport}`), { ours: longestTurnMs! });
}

async function measureOthers({ transport, attacker, port, folder, ca, log }: Bench): Promise<Row[]> {
  const args = [String(port), ...(folder === undefined ? [] : [folder])];
  const probe = await startWorker<ProbeJob, ProbeReport>(GENERATOR_CORE, join(BENCH, "floods", "probe.ts"), args);
  try {
    raisePriority(probe.pid);
    await probe.run({ ...PROBE, seconds: 1 });
    const quiet = await probe.run(PROBE);
    const rows: Row[] = [];
    for (const kind of ["legal calls", "unknown methods"] satisfies AttackKind[]) {
      const seconds = PROBE.seconds + 2;
      const attack = attacker.run({ kind, port, ca, localAddress: ATTACKER, connections: 8, seconds });
      await sleep(LEAD_MS);
      const flooded = await probe.run(PROBE);
      const { answers } = await attack;
      log(`${transport}, ${kind}: p99 ${quiet.p99Ms.toFixed(1)} to ${flooded.p99Ms.toFixed(1)} ms, ${answers} answers`);
      const measured = { ours: flooded.p99Ms, theirs: quiet.p99Ms };
      rows.push(
        judge(findTarget("fairness", `p99 of others, ${kind}, ${transport}`), {
          ...measured,
          ...(answers === 0 && { void: "the attacker had no answer" }),
        }),
      );
    }
    return rows;
  } finally {
    await probe.stop();
  }
}
