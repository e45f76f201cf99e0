// Owns: how long the event loop of a server stands still while sockets have 2 MB of tiny frames waiting for it, in cleartext and over
// TLS: the longest turn, which everybody else's calls wait for. Legal frames: no limit ends it.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BacklogJob, BacklogReport } from "../floods/protocol.ts";
import { GENERATOR_CORE } from "../lib/cores.ts";
import { raisePriority } from "../lib/priority.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { type ServerProcess, startServer } from "../lib/server-process.ts";
import { median } from "../lib/statistics.ts";
import { findTarget, judge, type Row } from "../lib/targets.ts";
import { createTlsFiles } from "../lib/tls-files.ts";
import type { Transport } from "../lib/transport.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const SOCKETS = [1, 16] as const;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 5;

const FOLDER = join(import.meta.dirname, "..");

export const backlog: Scenario = { name: "backlog", run: runBacklog };

interface WatchedServer extends ServerProcess {
  /** Milliseconds of its longest turn since this was last asked. */
  takeLongestTurn(): Promise<number>;
}

async function runBacklog(options: RunOptions): Promise<Row[]> {
  const files = createTlsFiles();
  const rows: Row[] = [];
  try {
    for (const transport of options.transports) rows.push(...(await runOver(transport, files.folder, options)));
  } finally {
    files.remove();
  }
  return rows;
}

async function runOver(transport: Transport, folder: string, { log }: RunOptions): Promise<Row[]> {
  const server = await startWatchedServer(transport === "tls" ? [folder] : []);
  try {
    const program = join(FOLDER, "floods", "backlog-sender.ts");
    const sender = await startWorker<BacklogJob, BacklogReport>(GENERATOR_CORE, program, [
      String(server.port),
      transport,
    ]);
    try {
      for (const { pid } of [server, sender]) raisePriority(pid);
      const rows: Row[] = [];
      for (const sockets of SOCKETS) rows.push(await measure(transport, sockets, { server, sender, log }));
      return rows;
    } finally {
      await sender.stop();
    }
  } finally {
    await server.stop();
  }
}

interface Parts {
  readonly server: WatchedServer;
  readonly sender: WorkerProcess<BacklogJob, BacklogReport>;
  readonly log: (line: string) => void;
}

async function measure(transport: Transport, sockets: number, { server, sender, log }: Parts): Promise<Row> {
  const turns: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    await server.takeLongestTurn();
    const { bytes, ms } = await sender.run({ sockets });
    const turn = await server.takeLongestTurn();
    if (round < WARM_UP_ROUNDS) continue;
    turns.push(turn);
    log(
      `${transport}, sockets: ${sockets}: longest turn ${turn.toFixed(1)} ms while ${(bytes / 1e6).toFixed(0)} MB were read in ${ms.toFixed(0)} ms`,
    );
  }
  return judge(findTarget(`backlog-${transport}`, `longest turn, sockets: ${sockets}`), { ours: median(turns) });
}

async function startWatchedServer(args: readonly string[]): Promise<WatchedServer> {
  let onTurn: ((ms: number) => void) | undefined;
  const servers = join(FOLDER, "servers");
  const server = await startServer("volant", join(servers, "volant-users.ts"), {
    args,
    nodeArgs: ["--import", pathToFileURL(join(servers, "turns-on-signal.ts")).href],
    onLine: (line) => {
      const turn = /^longest turn ([\d.]+)$/.exec(line)?.[1];
      if (turn !== undefined) onTurn?.(Number(turn));
      else process.stderr.write(`volant: ${line}\n`);
    },
  });
  return {
    ...server,
    async takeLongestTurn() {
      const { promise, resolve } = Promise.withResolvers<number>();
      onTurn = resolve;
      process.kill(server.pid, "SIGUSR2");
      return await promise;
    },
  };
}
