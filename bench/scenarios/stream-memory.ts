// Owns: the proof that StreamUsers runs at the pace of its reader: 200,000 users, a reader that takes 100 a second and then
// nothing. The server must neither hold the result (growth of its resident memory) nor keep reading for a client that left
// (time from the cancel to the end of the query).
// The growth is measured from after a full scan, which has already grown everything that grows once.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type ClientReadableStream, status } from "@grpc/grpc-js";
import { readResidentBytes } from "../lib/process-usage.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { createUserClient, USER_SERVICE } from "../lib/user-client.ts";

const USERS = 200_000;
const SLOW_READS = 1_000;
const READ_INTERVAL_MS = 10;
const SETTLE_MS = 1_000;
const STALL_MS = 5_000;
const SAMPLE_MS = 50;
const CANCEL_LIMIT_MS = 10_000;

const SERVERS = join(import.meta.dirname, "..", "servers");

export const streamMemory: Scenario = { name: "stream-memory", run: runStreamMemory };

/** Counts the server's announcements that a query is over. */
class ScanEnds {
  count = 0;
  #waiting: (() => void) | undefined;

  readonly onLine = (line: string): void => {
    if (line !== "scan ended") return void process.stderr.write(`users: ${line}\n`);
    this.count++;
    this.#waiting?.();
  };

  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }
}

async function runStreamMemory({ log }: RunOptions): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "bench-users-"));
  try {
    log(`creating ${USERS} users`);
    await promisify(execFile)(process.execPath, [join(SERVERS, "seed-users.ts"), folder, String(USERS)]);
    const scanEnds = new ScanEnds();
    const server = await startServer("users", join(SERVERS, "users-stream.ts"), {
      args: [folder],
      onLine: scanEnds.onLine,
    });
    try {
      return await measure(server, scanEnds, log);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(server: ServerProcess, scanEnds: ScanEnds, log: (line: string) => void): Promise<Row[]> {
  const client = createUserClient(server.port);
  const { path, requestSerialize, responseDeserialize } = USER_SERVICE.StreamUsers!;
  const open = (): ClientReadableStream<unknown> =>
    client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
  try {
    await scanEverything(open(), log);
    await sleep(SETTLE_MS);
    const before = residentMegabytes(server);
    const endsBefore = scanEnds.count;
    const stream = open();
    const peak = await readSlowly(stream, server);
    const growth = peak - before;
    log(`resident: ${before.toFixed(0)} MB after a full scan, at most ${peak.toFixed(0)} MB for a slow reader`);
    const growthRow = judge(findTarget("stream-memory", "budget: growth of RSS"), { ours: growth });
    return [growthRow, await measureCancel(stream, scanEnds, scanEnds.count > endsBefore)];
  } finally {
    client.close();
  }
}

async function scanEverything(stream: ClientReadableStream<unknown>, log: (line: string) => void): Promise<void> {
  const startedAt = performance.now();
  let received = 0;
  for await (const _ of stream) received++;
  if (received !== USERS) throw new Error(`a full scan gave ${received} users, there are ${USERS}`);
  log(`full scan in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** Reads at its pace, then not at all, and returns the most memory that the server had meanwhile. */
async function readSlowly(stream: ClientReadableStream<unknown>, server: ServerProcess): Promise<number> {
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMegabytes(server));
  }, SAMPLE_MS);
  try {
    const reader = stream[Symbol.asyncIterator]();
    for (let reads = 0; reads < SLOW_READS; reads++) {
      if ((await reader.next()).done) throw new Error(`the stream ended after ${reads} of ${USERS} users`);
      await sleep(READ_INTERVAL_MS);
    }
    await sleep(STALL_MS);
    return peak;
  } finally {
    clearInterval(sampling);
  }
}

async function measureCancel(stream: ClientReadableStream<unknown>, scanEnds: ScanEnds, isOver: boolean): Promise<Row> {
  const target = findTarget("stream-memory", "budget: query ends after cancel");
  stream.on("error", (error: Error & { code?: number }) => {
    if (error.code !== status.CANCELLED) throw error;
  });
  if (isOver) return judge(target, { ours: 0, void: "the query was over before the client cancelled" });
  const ended = scanEnds.next();
  const startedAt = performance.now();
  stream.cancel();
  const limit = new AbortController();
  const tooLong = sleep(CANCEL_LIMIT_MS, undefined, { signal: limit.signal, ref: false }).catch(() => undefined);
  await Promise.race([ended, tooLong]);
  limit.abort();
  return judge(target, { ours: performance.now() - startedAt });
}

function residentMegabytes(server: ServerProcess): number {
  const bytes = readResidentBytes(server.pid);
  if (bytes === undefined) throw new Error(`${server.name} has ended`);
  return bytes / 1e6;
}
