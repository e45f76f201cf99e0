// Owns: our server as one side of a comparison: the process, h2load's calls on the other core, and the processor time between two
// looks. Every run's answers are counted and measured by lib/h2load.ts.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createGetUserTarget } from "../lib/get-user-load.ts";
import { type LoadShape, runH2load } from "../lib/h2load.ts";
import { raisePriority } from "../lib/priority.ts";
import { startServer } from "../lib/server-process.ts";
import { verifyGetUser } from "../lib/user-client.ts";
import { type Contestant, SLICE_CALLS, type Tree, WARM_UP_CALLS } from "./compare.ts";

const SHAPE: LoadShape = { connections: 10, streams: 100 };

export async function startServerContestant({ name, folder }: Tree): Promise<Contestant> {
  let onUsed: ((micros: number) => void) | undefined;
  const programs = join(folder, "bench", "servers");
  const server = await startServer(name, join(programs, "volant-unary.ts"), {
    nodeArgs: ["--import", pathToFileURL(join(programs, "usage-on-signal.ts")).href],
    onLine: (line) => {
      const used = /^used (\d+)$/.exec(line)?.[1];
      if (used !== undefined) onUsed?.(Number(used));
      else process.stderr.write(`${name}: ${line}\n`);
    },
  });
  raisePriority(server.pid);
  const target = createGetUserTarget(server.port);
  const readUsed = async (): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<number>();
    onUsed = resolve;
    process.kill(server.pid, "SIGUSR2");
    return await promise;
  };
  return {
    async warmUp() {
      await verifyGetUser(server.port);
      await runH2load(target, SHAPE, WARM_UP_CALLS, true);
    },
    async measure() {
      const before = await readUsed();
      const { generatorLoad } = await runH2load(target, SHAPE, SLICE_CALLS, true);
      return { processorMicros: (await readUsed()) - before, calls: SLICE_CALLS, generatorLoad };
    },
    stop: () => server.stop(),
  };
}
