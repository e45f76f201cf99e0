// Owns: what floods do to others: the p99 of an honest client's calls while an attacker on the same server sends without end and
// without measure, and while another stays just under every limit, against the same client without them; and what is left of
// both in memory. Each flood in cleartext and over TLS, with attacker and client on the same. One server a flood and transport.
//
// Memory: the server is first brought to the state of a busy one (floods/warm-up.ts says why), then attacked, then left alone for a
// minute. Before and after, V8 collects and gives back the pages that it keeps for later, as it does when memory is short: what is
// resident then is what the process cannot do without. It passes if that is at most a tenth more than before the flood, and if what is
// alive is at most a tenth more too; the first holds malloc to account, the second is what a leak cannot hide from.
// What an operator sees without any of that may not grow by more than a tenth either. A flood that is shorter than ten seconds
// (`--seconds`) is a quick look at the latencies: it leaves memory out.
//
// The attacker and the probe share a core and the server has the other; server and probe go before everything else there.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { FLOODS, type FloodName } from "../floods/flood-frames.ts";
import {
  ATTACK_STYLES,
  type AttackReport,
  type AttackStyle,
  type ProbeJob,
  type ProbeReport,
} from "../floods/protocol.ts";
import { createLatencyTarget, findFloodVoidReason, nameFlood } from "../floods/verdict.ts";
import { warmUp } from "../floods/warm-up.ts";
import { GENERATOR_CORE, pinned } from "../lib/cores.ts";
import { requireH2load } from "../lib/h2load.ts";
import { raisePriority } from "../lib/priority.ts";
import { watchLoad } from "../lib/process-usage.ts";
import { type Memory, type ResidentServer, startResidentServer } from "../lib/resident-server.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { createTlsFiles } from "../lib/tls-files.ts";
import type { Transport } from "../lib/transport.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const CALLS_PER_SECOND = 200;
const MIN_SECONDS = 10;
const MAX_SECONDS = 30;
const WARM_UP_SECONDS = 2;
/** The attack begins before the calls that are measured, so that none of them is quiet. */
const LEAD_SECONDS = 1;
/** For the server to notice that the attacker is gone, and to give back what it will. */
const QUIET_MS = 60_000;
/** As the service is started: docs/adr/0008-young-generation.md. */
const NODE_ARGS = ["--max-semi-space-size=8"];

const FOLDER = join(import.meta.dirname, "..");

export const floods: Scenario = { name: "floods", run: runFloods };

type Probe = WorkerProcess<ProbeJob, ProbeReport>;

async function runFloods(options: RunOptions): Promise<Row[]> {
  requireH2load();
  const rows: Row[] = [];
  const files = createTlsFiles();
  try {
    for (const transport of options.transports) {
      for (const name of FLOODS) rows.push(...(await runFlood(name, transport, files.folder, options)));
    }
  } finally {
    files.remove();
  }
  return rows;
}

function chooseSeconds({ seconds, durationSeconds }: RunOptions): number {
  return seconds ?? Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, durationSeconds));
}

async function runFlood(name: FloodName, transport: Transport, folder: string, options: RunOptions): Promise<Row[]> {
  // Both programs speak TLS if they are told where its files are.
  const args = transport === "tls" ? [folder] : [];
  const program = join(FOLDER, "servers", "volant-users.ts");
  const server = await startResidentServer("volant", program, NODE_ARGS, args);
  try {
    const port = String(server.port);
    const probe: Probe = await startWorker(GENERATOR_CORE, join(FOLDER, "floods", "probe.ts"), [port, ...args]);
    try {
      return await attackServer({ name, transport, server, probe, seconds: chooseSeconds(options), log: options.log });
    } finally {
      await probe.stop();
    }
  } finally {
    await server.stop();
  }
}

interface FloodRun {
  readonly name: FloodName;
  readonly transport: Transport;
  readonly server: ResidentServer;
  readonly probe: Probe;
  readonly seconds: number;
  readonly log: (line: string) => void;
}

async function attackServer(run: FloodRun): Promise<Row[]> {
  const { name, transport, server, probe, seconds, log } = run;
  if (![server.pid, probe.pid].every(raisePriority)) log("server and probe share their cores with whatever else runs");
  const job: ProbeJob = { seconds, callsPerSecond: CALLS_PER_SECOND };
  await probe.run({ ...job, seconds: WARM_UP_SECONDS });
  await warmUp(server, transport);
  const busyBytes = server.readResident();
  const before = await server.measureFloor();
  const quiet = await probe.run(job);
  log(`${nameFlood(name, transport)}: quiet ${describeProbe(quiet)}`);
  const rows: Row[] = [];
  for (const style of ATTACK_STYLES) rows.push(await runAttack({ ...run, style, job, quiet }));
  if (seconds < MIN_SECONDS) return rows;
  await sleep(QUIET_MS);
  const leftBytes = server.readResident();
  const after = await server.measureFloor();
  log(`  before ${describeMemory(before)} (${megabytes(busyBytes)} before the collection)`);
  log(`  after  ${describeMemory(after)} (${megabytes(leftBytes)} before the collection)`);
  return [...rows, ...createMemoryRows(nameFlood(name, transport), { busyBytes, before, leftBytes, after })];
}

interface AttackRun extends FloodRun {
  readonly style: AttackStyle;
  readonly job: ProbeJob;
  readonly quiet: ProbeReport;
}

async function runAttack(run: AttackRun): Promise<Row> {
  const { name, style, transport, server, probe, job, quiet, log } = run;
  const load = watchLoad(server.pid);
  const { ended } = await startAttack(run);
  await sleep(LEAD_SECONDS * 1_000);
  const flooded = await probe.run(job);
  const attacked = await ended;
  log(`  ${style}: ${describeAttack(attacked)}; server at ${Math.round(load.stop() * 100)} % of its core`);
  log(`    ${describeProbe(flooded)}`);
  const target = createLatencyTarget({ flood: name, style, transport }, quiet.p99Ms);
  const voidReason = findFloodVoidReason({ quiet, flooded, attacked, style, target });
  return judge(target, { ours: flooded.p99Ms, theirs: quiet.p99Ms, ...(voidReason && { void: voidReason }) });
}

interface Memories {
  /** Resident as it is, before the flood and after it. */
  readonly busyBytes: number;
  readonly leftBytes: number;
  readonly before: Memory;
  readonly after: Memory;
}

function createMemoryRows(scenario: string, { busyBytes, before, leftBytes, after }: Memories): Row[] {
  const rowOf = (peer: string, ours: number, theirs: number): Row =>
    judge({ ...findTarget("flood-memory", peer), scenario }, { ours: ours / 1e6, theirs: theirs / 1e6 });
  return [
    rowOf("resident before it", after.residentBytes, before.residentBytes),
    rowOf("live before it", after.liveBytes, before.liveBytes),
    rowOf("resident before it, uncollected", leftBytes, busyBytes),
  ];
}

/** An attack that has begun. */
async function startAttack(run: AttackRun): Promise<{ ended: Promise<AttackReport> }> {
  const { name, style, transport, server, job } = run;
  const program = join(FOLDER, "floods", "attacker.ts");
  const seconds = job.seconds + 2 * LEAD_SECONDS;
  const options = [String(server.port), String(seconds), name, style, transport];
  const [command, ...args] = pinned(GENERATOR_CORE, [process.execPath, program, ...options]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const killWithUs = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`the attacker of ${name} ended too early`);
    return value as string;
  };
  await nextLine();
  return { ended: nextLine().then((report) => JSON.parse(report) as AttackReport) };
}

function describeAttack({ connections, frames, bytes, stalled, ended }: AttackReport): string {
  const sent = `${frames.toLocaleString("en-US")} frames, ${(bytes / 1e6).toFixed(0)} MB handed to the kernel`;
  return `${connections} connections (${ended} ended by the server, ${stalled} not read any more), ${sent}`;
}

function describeMemory({ residentBytes, liveBytes }: Memory): string {
  return `${megabytes(residentBytes)} resident, ${megabytes(liveBytes)} live`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function describeProbe({ calls, failed, p50Ms, p99Ms, maxMs, p99LateMs }: ProbeReport): string {
  const [p50, p99, max, late] = [p50Ms, p99Ms, maxMs, p99LateMs].map((ms) => ms.toFixed(1));
  return `p50 ${p50} p99 ${p99} max ${max} ms, probe late by ${late} ms, ${failed} of ${calls} calls failed`;
}
