// Owns: what an idle connection costs a server in resident memory, ours against grpc-js: the growth from some connections to a
// thousand more, each of which made one call. Each measurement has a fresh server: memory that a process once had it seldom
// gives back. Then 5,000 connections to one of our processes, all of which must still answer.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { measurePairs, type Sample } from "../lib/pairs.ts";
import { installPeer } from "../lib/peer-install.ts";
import { openAll, type RawConnection } from "../lib/raw-call.ts";
import { type ResidentServer, startResidentServer } from "../lib/resident-server.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";

/** These grow everything that grows once: compiled code, tables, pools. */
const FIRST_CONNECTIONS = 200;
const CONNECTIONS = 1_000;
const MANY_CONNECTIONS = 5_000;
/** Descriptors that a process needs besides. */
const OTHER_FILES = 100;

const OURS = join(import.meta.dirname, "..", "servers", "volant-unary.ts");

export const idleConnections: Scenario = { name: "idle-connections", run: runIdleConnections };

async function runIdleConnections(options: RunOptions): Promise<Row[]> {
  const peer = join(installPeer("grpc-js"), "server.mjs");
  const result = await measurePairs(
    options.pairs,
    () => measureKibibytes("volant", OURS, CONNECTIONS),
    () => measureKibibytes("grpc-js", peer, CONNECTIONS),
    ({ ours, theirs, ratio }, label) =>
      options.log(`${label}: ${ours.value.toFixed(1)} / ${theirs.value.toFixed(1)} KiB = ${ratio.toFixed(2)}x`),
  );
  return [judge(findTarget("idle-connections", "grpc-js"), result), await measureMany(options)];
}

async function measureMany({ log }: RunOptions): Promise<Row> {
  const target = findTarget("idle-connections", "budget: each of 5,000");
  const limit = readOpenFilesLimit();
  if (limit < FIRST_CONNECTIONS + MANY_CONNECTIONS + OTHER_FILES) {
    return judge(target, { ours: 0, void: `a process may open ${limit} files here: raise ulimit -n` });
  }
  const { value } = await measureKibibytes("volant", OURS, MANY_CONNECTIONS, log);
  return judge(target, { ours: value });
}

async function measureKibibytes(
  name: string,
  program: string,
  count: number,
  log?: (line: string) => void,
): Promise<Sample> {
  const server = await startResidentServer(name, program);
  const connections: RawConnection[] = [];
  try {
    connections.push(...(await openAll(server.port, FIRST_CONNECTIONS)));
    const { residentBytes: before } = await server.measureMemory();
    connections.push(...(await openAll(server.port, count)));
    const { residentBytes: after } = await server.measureMemory();
    log?.(
      `${formatMegabytes(before)} MB with ${FIRST_CONNECTIONS} connections, ${formatMegabytes(after)} MB with ${count} more`,
    );
    await callEach(connections, server);
    return { value: (after - before) / count / 1024 };
  } finally {
    for (const connection of connections) connection.close();
    await server.stop();
  }
}

/** A server that keeps no connection would need the least memory. */
async function callEach(connections: readonly RawConnection[], server: ResidentServer): Promise<void> {
  for (const connection of connections) {
    await connection.call().catch((error: Error) => {
      throw new Error(`an idle connection to ${server.name} does not answer: ${error.message}`);
    });
  }
}

function formatMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** Node raises its own soft limit to the hard one. */
function readOpenFilesLimit(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}
