// Owns: what floods do to others: the p99 of an honest client's calls while an attacker on the same server sends without end,
// against the same client without it, and what is left of the attack in memory. One fresh server a flood.
// The attacker and the probe share a core, the probe goes first; the server has the other.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { FLOODS, type FloodName } from "../floods/flood-frames.ts";
import type { AttackReport, ProbeJob, ProbeReport } from "../floods/protocol.ts";
import { createLatencyTarget, findFloodVoidReason } from "../floods/verdict.ts";
import { GENERATOR_CORE, pinned } from "../lib/cores.ts";
import { watchLoad } from "../lib/process-usage.ts";
import { type ResidentServer, startResidentServer } from "../lib/resident-server.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const CALLS_PER_SECOND = 200;
const MIN_SECONDS = 10;
const MAX_SECONDS = 30;
const WARM_UP_SECONDS = 2;
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
    const job: ProbeJob = { seconds, callsPerSecond: CALLS_PER_SECOND };
    await probe.run({ ...job, seconds: WARM_UP_SECONDS });
    // What an attack makes grow once, compiled code above all, has grown before memory is measured.
    await attack(server.port, WARM_UP_SECONDS, name);
    await sleep(AFTERMATH_MS);
    const before = await server.measureResident();
    const quiet = await probe.run(job);
    const load = watchLoad(server.pid);
    const attacking = attack(server.port, seconds + 2 * LEAD_SECONDS, name);
    await sleep(LEAD_SECONDS * 1_000);
    const flooded = await probe.run(job);
    const attacked = await attacking;
    const serverLoad = load.stop();
    await sleep(AFTERMATH_MS);
    const after = await server.measureResident();
    log(`${name}: ${describeAttack(attacked)}; server at ${Math.round(serverLoad * 100)} % of its core`);
    log(`  quiet   ${describeProbe(quiet)}`);
    log(`  flooded ${describeProbe(flooded)}`);
    const voidReason = findFloodVoidReason(quiet, flooded, attacked.frames);
    const latency = { ours: flooded.p99Ms, theirs: quiet.p99Ms, ...(voidReason && { void: voidReason }) };
    const memoryTarget = { ...findTarget("flood-memory", "before the flood"), scenario: `flood: ${name}` };
    return [
      judge(createLatencyTarget(name, quiet.p99Ms), latency),
      judge({ ...memoryTarget, peer: "resident before" }, { ours: after / 1e6, theirs: before / 1e6 }),
    ];
  } finally {
    await probe.stop();
  }
}

async function attack(port: number, seconds: number, name: FloodName): Promise<AttackReport> {
  const program = join(FOLDER, "floods", "attacker.ts");
  const [command, ...args] = pinned(GENERATOR_CORE, [process.execPath, program, String(port), String(seconds), name]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", 2] });
  const killWithUs = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const exited = once(child, "exit");
  const output = await text(child.stdout);
  const [code] = await exited;
  process.off("exit", killWithUs);
  if (code !== 0) throw new Error(`the attacker ended with ${code}`);
  return JSON.parse(output) as AttackReport;
}

function describeAttack({ connections, frames, bytes, stalled, ended }: AttackReport): string {
  const numbers = `${connections} connections, ${frames.toLocaleString("en-US")} frames, ${(bytes / 1e6).toFixed(0)} MB sent`;
  return `${numbers}; ${stalled} not read any more, ${ended} reset`;
}

function describeProbe({ calls, failed, p50Ms, p99Ms, maxMs, p99LateMs }: ProbeReport): string {
  const [p50, p99, max, late] = [p50Ms, p99Ms, maxMs, p99LateMs].map((ms) => ms.toFixed(1));
  return `p50 ${p50} p99 ${p99} max ${max} ms, probe late by ${late} ms, ${failed} of ${calls} calls failed`;
}
