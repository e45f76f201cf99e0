// Owns: what floods do to others: the p99 of an honest client's calls while an attacker on the same server sends without end,
// against the same client without it, and what is left of the attack in memory. One fresh server a flood.
// The attacker and the probe share a core and the server has the other; server and probe go before everything else there.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { FLOODS, type FloodName } from "../floods/flood-frames.ts";
import type { AttackReport, ProbeJob, ProbeReport } from "../floods/protocol.ts";
import { createLatencyTarget, findFloodVoidReason } from "../floods/verdict.ts";
import { GENERATOR_CORE, pinned } from "../lib/cores.ts";
import { raisePriority } from "../lib/priority.ts";
import { watchLoad } from "../lib/process-usage.ts";
import { type Memory, type ResidentServer, startResidentServer } from "../lib/resident-server.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const CALLS_PER_SECOND = 200;
const MIN_SECONDS = 10;
const MAX_SECONDS = 30;
const WARM_UP_SECONDS = 2;
/** Long enough for the heap and malloc to reach what they keep under this load. */
const FIRST_FLOOD_SECONDS = 4;
/** The attack begins before the calls that are measured, so that none of them is quiet. */
const LEAD_SECONDS = 1;
/** For the server to notice that the attacker is gone. */
const AFTERMATH_MS = 1_000;

const FOLDER = join(import.meta.dirname, "..");

export const floods: Scenario = { name: "floods", run: runFloods };

type Probe = WorkerProcess<ProbeJob, ProbeReport>;

async function runFloods(options: RunOptions): Promise<Row[]> {
  const seconds = Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, options.durationSeconds));
  const rows: Row[] = [];
  for (const name of FLOODS) {
    const server = await startResidentServer("volant", join(FOLDER, "servers", "volant-unary.ts"));
    try {
      rows.push(...(await runFlood(name, server, seconds, options.log)));
    } finally {
      await server.stop();
    }
  }
  return rows;
}

async function runFlood(
  name: FloodName,
  server: ResidentServer,
  seconds: number,
  log: (line: string) => void,
): Promise<Row[]> {
  const probe: Probe = await startWorker(GENERATOR_CORE, join(FOLDER, "floods", "probe.ts"), [String(server.port)]);
  try {
    if (![server.pid, probe.pid].every(raisePriority))
      log("server and probe share their cores with whatever else runs");
    const job: ProbeJob = { seconds, callsPerSecond: CALLS_PER_SECOND };
    await probe.run({ ...job, seconds: WARM_UP_SECONDS });
    const fresh = await server.measureMemory();
    // Tells what a flood makes grow once from what the next one makes grow further.
    await (await startAttack(server.port, FIRST_FLOOD_SECONDS, name)).ended;
    await sleep(AFTERMATH_MS);
    const before = await server.measureMemory();
    const quiet = await probe.run(job);
    const load = watchLoad(server.pid);
    const { ended } = await startAttack(server.port, seconds + 2 * LEAD_SECONDS, name);
    await sleep(LEAD_SECONDS * 1_000);
    const flooded = await probe.run(job);
    const attacked = await ended;
    const serverLoad = load.stop();
    await sleep(AFTERMATH_MS);
    const after = await server.measureMemory();
    log(`${name}: ${describeAttack(attacked)}; server at ${Math.round(serverLoad * 100)} % of its core`);
    log(`  quiet   ${describeProbe(quiet)}`);
    log(`  flooded ${describeProbe(flooded)}`);
    log(
      `  fresh ${describeMemory(fresh)}; after a first flood ${describeMemory(before)}; after this one ${describeMemory(after)}`,
    );
    const voidReason = findFloodVoidReason(quiet, flooded, attacked.frames);
    const latency = { ours: flooded.p99Ms, theirs: quiet.p99Ms, ...(voidReason && { void: voidReason }) };
    return [judge(createLatencyTarget(name, quiet.p99Ms), latency), ...createMemoryRows(name, fresh, before, after)];
  } finally {
    await probe.stop();
  }
}

/** Judged against a server that saw no flood yet; reported against one that saw a short one. */
function createMemoryRows(name: FloodName, fresh: Memory, before: Memory, after: Memory): Row[] {
  const scenario = `flood: ${name}`;
  const measure = ({ residentBytes }: Memory) => ({ ours: after.residentBytes / 1e6, theirs: residentBytes / 1e6 });
  return [
    judge({ ...findTarget("flood-memory", "before any flood"), scenario }, measure(fresh)),
    judge({ ...findTarget("flood-memory", "after a first flood"), scenario }, measure(before)),
  ];
}

/** An attack that has begun. */
async function startAttack(port: number, seconds: number, name: FloodName): Promise<{ ended: Promise<AttackReport> }> {
  const program = join(FOLDER, "floods", "attacker.ts");
  const [command, ...args] = pinned(GENERATOR_CORE, [process.execPath, program, String(port), String(seconds), name]);
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
  return `${(residentBytes / 1e6).toFixed(0)} MB resident, ${(liveBytes / 1e6).toFixed(0)} MB live`;
}

function describeProbe({ calls, failed, p50Ms, p99Ms, maxMs, p99LateMs }: ProbeReport): string {
  const [p50, p99, max, late] = [p50Ms, p99Ms, maxMs, p99LateMs].map((ms) => ms.toFixed(1));
  return `p50 ${p50} p99 ${p99} max ${max} ms, probe late by ${late} ms, ${failed} of ${calls} calls failed`;
}
