// Owns: what the parts of a call cost in our HTTP/2 core, without sockets: a header block that the connection has seen, one
// that it has not, DATA and WINDOW_UPDATE, each through the whole of Http2Connection.receive, and blocks through HPACK alone.
// Reported, not judged: these rows show where a change of the rows that are judged comes from.

import { join } from "node:path";
import { SERVER_CORE } from "../lib/cores.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { median, spread } from "../lib/statistics.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";
import { CASES, type CaseName, type Job, type Measured } from "../micro/protocol.ts";

/** The cases share one measurement's length. */
const MIN_SLICE_MS = 100;

export const http2Micro: Scenario = { name: "http2-micro", run: runHttp2Micro };

async function runHttp2Micro(options: RunOptions): Promise<Row[]> {
  const worker = await startWorker<Job, Measured>(SERVER_CORE, join(import.meta.dirname, "..", "micro", "worker.ts"));
  try {
    const figures = await measureRounds(worker, options);
    return CASES.map((name) => {
      const values = figures.get(name)!;
      return judge(findTarget("http2-micro", name), { ours: median(values), spread: spread(values) });
    });
  } finally {
    await worker.stop();
  }
}

/** All cases in each round, so that they disturb the compiler's feedback for one another as traffic does. */
async function measureRounds(
  worker: WorkerProcess<Job, Measured>,
  { pairs, durationSeconds, log }: RunOptions,
): Promise<ReadonlyMap<CaseName, number[]>> {
  const figures = new Map<CaseName, number[]>(CASES.map((name) => [name, []]));
  const durationMs = Math.max(MIN_SLICE_MS, (durationSeconds * 1_000) / CASES.length);
  for (let round = 0; round <= pairs; round++) {
    const measured: string[] = [];
    for (const name of CASES) {
      const { nanoseconds } = await worker.run({ name, durationMs });
      // The first round warms up.
      if (round > 0) figures.get(name)!.push(nanoseconds);
      measured.push(nanoseconds.toFixed(0));
    }
    log(`${round === 0 ? "warm-up" : `round ${round}`}: ${measured.join(" / ")} ns`);
  }
  return figures;
}
