// Owns: the honest client beside an attack: `probe.ts PORT [FOLDER]`, then jobs; with the folder of lib/tls-files.ts over TLS. Unary calls on one connection at a fixed rate (open
// loop): a call is due when it is due, however late the answers before it are, and its time counts from then. A closed loop would
// ask less of a server that is slow, and so hide it.
// Invariant: a call that fails counts as the longest there can be.

import { Channel, createClient } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { percentile } from "../lib/statistics.ts";
import { readAuthority } from "../lib/tls-files.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { REQUESTED_ID } from "../user-response.ts";
import type { ProbeJob, ProbeReport } from "./protocol.ts";

const TIMEOUT_MS = 5_000;

const [port, folder] = process.argv.slice(2);
const tls = folder === undefined ? undefined : { ca: readAuthority(folder) };
const channel = new Channel(`127.0.0.1:${port}`, { ...(tls && { tls }) });
const users = createClient(UserService, channel);

async function call(dueAt: number): Promise<number> {
  const { user } = await users.getUser({ userId: REQUESTED_ID }, { timeoutMs: TIMEOUT_MS });
  if (user?.id !== REQUESTED_ID) throw new Error(`asked for ${REQUESTED_ID}, got ${user?.id}`);
  return performance.now() - dueAt;
}

async function probe({ seconds, callsPerSecond }: ProbeJob): Promise<ProbeReport> {
  const count = Math.round(seconds * callsPerSecond);
  const intervalMs = 1_000 / callsPerSecond;
  const startedAt = performance.now();
  const lateness: number[] = [];
  const latencies: Promise<number>[] = [];
  let failed = 0;
  while (latencies.length < count) {
    const dueAt = startedAt + latencies.length * intervalMs;
    const now = performance.now();
    if (now < dueAt) {
      await new Promise((resolve) => setTimeout(resolve, dueAt - now));
      continue;
    }
    lateness.push(now - dueAt);
    const latency = call(dueAt).catch((error: Error) => {
      if (failed++ === 0) process.stderr.write(`the probe's first failed call: ${error.message}\n`);
      return TIMEOUT_MS;
    });
    latencies.push(latency);
  }
  const measured = await Promise.all(latencies);
  return {
    calls: count,
    failed,
    p50Ms: percentile(measured, 0.5),
    p99Ms: failed > 0 ? TIMEOUT_MS : percentile(measured, 0.99),
    maxMs: percentile(measured, 1),
    p99LateMs: percentile(lateness, 0.99),
  };
}

answerJobs(probe);
