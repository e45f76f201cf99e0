// Owns: unary calls a second that a server answers on one core, ours against grpc-js: 10 connections, 100 streams each.
// Both servers live through the whole comparison and are measured in turn; the witness checks status and content of both
// before and after, h2load's report is checked after each run.

import { join } from "node:path";
import { canPin } from "../lib/cores.ts";
import { createGetUserTarget } from "../lib/get-user-load.ts";
import { type LoadShape, requireH2load, runH2load } from "../lib/h2load.ts";
import { judgeGenerator, measurePairs, type Sample } from "../lib/pairs.ts";
import { installPeer } from "../lib/peer-install.ts";
import { readResidentBytes } from "../lib/process-usage.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { verifyGetUser } from "../lib/user-client.ts";

const SHAPE: LoadShape = { connections: 10, streams: 100 };
const PROBE_REQUESTS = 5_000;

export const unaryServer: Scenario = { name: "unary-server", run: runUnaryServer };

async function runUnaryServer(options: RunOptions): Promise<Row[]> {
  requireH2load();
  if (!canPin()) options.log("processes cannot be bound to cores here: server and generator share them");
  const servers = join(import.meta.dirname, "..", "servers");
  const ours = await startServer("volant", join(servers, "volant-unary.ts"));
  try {
    const theirs = await startServer("grpc-js", join(installPeer("grpc-js"), "server.mjs"));
    try {
      return [await compare(ours, theirs, options)];
    } finally {
      await theirs.stop();
    }
  } finally {
    await ours.stop();
  }
}

async function compare(ours: ServerProcess, theirs: ServerProcess, options: RunOptions): Promise<Row> {
  await verifyBoth(ours, theirs);
  const measureOurs = await prepare(ours, options);
  const measureTheirs = await prepare(theirs, options);
  const result = await measurePairs(options.pairs, measureOurs, measureTheirs, (pair, label) => {
    const [our, their] = [Math.round(pair.ours.value), Math.round(pair.theirs.value)];
    const load = Math.round((pair.ours.generatorLoad ?? 0) * 100);
    options.log(`${label}: ${our} / ${their} req/s = ${pair.ratio.toFixed(2)}x, generator at ${load} %`);
  });
  await verifyBoth(ours, theirs);
  for (const server of [ours, theirs]) {
    const mebibytes = Math.round((readResidentBytes(server.pid) ?? 0) / 2 ** 20);
    options.log(`${server.name}: ${mebibytes} MiB resident after the load`);
  }
  return judge(findTarget("unary-server", theirs.name), { ...result, ...judgeGenerator(result) });
}

/** Warms a server up for one full measurement and returns a measurement of the wanted length. */
async function prepare(server: ServerProcess, options: RunOptions): Promise<() => Promise<Sample>> {
  const target = createGetUserTarget(server.port);
  const probe = await runH2load(target, SHAPE, PROBE_REQUESTS);
  const warm = await runH2load(target, SHAPE, countRequests(probe.requestsPerSecond, options.durationSeconds));
  const requests = countRequests(warm.requestsPerSecond, options.durationSeconds);
  return async () => {
    const report = await runH2load(target, SHAPE, requests);
    return { value: report.requestsPerSecond, generatorLoad: report.generatorLoad };
  };
}

// h2load hands each connection the same number of requests.
function countRequests(perSecond: number, seconds: number): number {
  return Math.max(1, Math.round((perSecond * seconds) / SHAPE.connections)) * SHAPE.connections;
}

async function verifyBoth(ours: ServerProcess, theirs: ServerProcess): Promise<void> {
  for (const server of [ours, theirs]) await verifyGetUser(server.port);
}
