// Owns: the honest client of the fairness scenario: `probe.ts PORT [CA]`, then jobs. As in the scenario of floods, calls are due at a fixed
// rate. Invariant: a call that fails counts as the longest there can be.

import { Channel, createClient } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import type { ProbeJob, ProbeReport } from "../floods/protocol.ts";
import { percentile } from "../lib/statistics.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { REQUESTED_ID } from "../user-response.ts";

const TIMEOUT_MS = 5_000;
const [port, ca] = process.argv.slice(2);
const channel = new Channel(`127.0.0.1:${port}`, ca === undefined ? {} : { tls: { ca, servername: "localhost" } });
const users = createClient(UserService, channel);

async function call(dueAt: number): Promise<number> {
  await users.getUser({ userId: REQUESTED_ID }, { timeoutMs: TIMEOUT_MS });
  return performance.now() - dueAt;
}

async function probe({ seconds, callsPerSecond }: ProbeJob): Promise<ProbeReport> {
  const count = Math.round(seconds * callsPerSecond);
  const startedAt = performance.now();
  const lateness: number[] = [];
  const latencies: Promise<number>[] = [];
  let failed = 0;
  while (latencies.length < count) {
    const dueAt = startedAt + (latencies.length * 1_000) / callsPerSecond;
    const now = performance.now();
    if (now < dueAt) {
      await new Promise((resolve) => setTimeout(resolve, dueAt - now));
      continue;
    }
    lateness.push(now - dueAt);
    latencies.push(
      call(dueAt).catch((error: Error) => {
        if (failed++ === 0) process.stderr.write(`the probe's first failed call: ${error.message}\n`);
        return TIMEOUT_MS;
      }),
    );
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
