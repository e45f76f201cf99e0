// Owns: a server whose resident memory is measured: started so that it collects its garbage when it is told to.
// Must not know: which server, and what filled its memory.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { readResidentBytes } from "./process-usage.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const PRELOAD = pathToFileURL(join(import.meta.dirname, "..", "servers", "collect-on-signal.ts")).href;
/** V8 gives pages back on threads of its own, some time after the collection. */
const SETTLE_MS = 500;

export interface Memory {
  /** Bytes resident once garbage is collected. */
  readonly residentBytes: number;
  /** Bytes that live objects have, on the heap and outside: what is resident beyond them V8 and malloc keep for later. */
  readonly liveBytes: number;
}

export interface ResidentServer extends ServerProcess {
  measureMemory(): Promise<Memory>;
  /** The same once V8 has given back the pages that it keeps for later: what this process cannot do without. */
  measureFloor(): Promise<Memory>;
  /** As it is, without a collection. */
  readResident(): number;
}

export async function startResidentServer(
  name: string,
  program: string,
  nodeArgs: readonly string[] = [],
  args: readonly string[] = [],
): Promise<ResidentServer> {
  let onCollected: ((usage: NodeJS.MemoryUsage) => void) | undefined;
  const server = await startServer(name, program, {
    args,
    nodeArgs: [...nodeArgs, "--expose-gc", "--import", PRELOAD],
    onLine: (line) => {
      const usage = /^collected (.*)$/.exec(line)?.[1];
      if (usage !== undefined) onCollected?.(JSON.parse(usage) as NodeJS.MemoryUsage);
      else process.stderr.write(`${name}: ${line}\n`);
    },
  });
  const readResident = (): number => {
    const residentBytes = readResidentBytes(server.pid);
    if (residentBytes === undefined) throw new Error(`${name} has ended`);
    return residentBytes;
  };
  const collect = async (signal: NodeJS.Signals): Promise<Memory> => {
    const { promise, resolve } = Promise.withResolvers<NodeJS.MemoryUsage>();
    onCollected = resolve;
    process.kill(server.pid, signal);
    const { heapUsed, external } = await promise;
    await sleep(SETTLE_MS);
    return { residentBytes: readResident(), liveBytes: heapUsed + external };
  };
  return {
    ...server,
    measureMemory: () => collect("SIGUSR2"),
    measureFloor: () => collect("SIGHUP"),
    readResident,
  };
}
