// Owns: unary calls a second that a client makes on one core, ours against grpc-js: 100 in flight on one channel to one server of
// ours on the other core. Both clients live through the whole comparison and are measured in turn.

import { join } from "node:path";
import type { ClientReport, LoadJob } from "../clients/protocol.ts";
import { GENERATOR_CORE } from "../lib/cores.ts";
import { measurePairs, type Sample } from "../lib/pairs.ts";
import { installPeer } from "../lib/peer-install.ts";
import { watchLoad } from "../lib/process-usage.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const IN_FLIGHT = 100;
const FOLDER = join(import.meta.dirname, "..");

type Client = WorkerProcess<LoadJob, ClientReport>;

export const unaryClient: Scenario = { name: "unary-client", run: runUnaryClient };

async function runUnaryClient(options: RunOptions): Promise<Row[]> {
  const server = await startServer("volant", join(FOLDER, "servers", "volant-unary.ts"));
  const clients: Client[] = [];
  try {
    for (const program of [join(FOLDER, "clients", "volant-unary.ts"), join(installPeer("grpc-js"), "client.mjs")]) {
      clients.push(await startWorker<LoadJob, ClientReport>(GENERATOR_CORE, program, [String(server.port)]));
    }
    return [await compare(clients[0]!, clients[1]!, server, options)];
  } finally {
    for (const client of clients) await client.stop();
    await server.stop();
  }
}

async function compare(ours: Client, theirs: Client, server: ServerProcess, options: RunOptions): Promise<Row> {
  const job: LoadJob = { seconds: options.durationSeconds, inFlight: IN_FLIGHT };
  const measure = (client: Client) => async (): Promise<Sample> => {
    const load = watchLoad(server.pid);
    const { callsPerSecond } = await client.run(job);
    return { value: callsPerSecond, generatorLoad: load.stop() };
  };
  for (const client of [ours, theirs]) await client.run(job);
  const result = await measurePairs(options.pairs, measure(ours), measure(theirs), (pair, label) => {
    const [our, their] = [Math.round(pair.ours.value), Math.round(pair.theirs.value)];
    const load = Math.round((pair.ours.generatorLoad ?? 0) * 100);
    options.log(`${label}: ${our} / ${their} req/s = ${pair.ratio.toFixed(2)}x, server at ${load} % for ours`);
  });
  // A server at its limit makes our figure smaller than it is, never larger: the row stands.
  return judge(findTarget("unary-client", "grpc-js"), result);
}
