// Owns: a server whose resident memory is measured: started so that it collects its garbage when it is told to.
// Must not know: which server, and what filled its memory.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { readResidentBytes } from "./process-usage.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const PRELOAD = pathToFileURL(join(import.meta.dirname, "..", "servers", "collect-on-signal.ts")).href;
/** V8 gives pages back on threads of its own, some time after the collection. */
const SETTLE_MS = 500;

export interface ResidentServer extends ServerProcess {
  /** Bytes resident once garbage is collected. */
  measureResident(): Promise<number>;
}

export async function startResidentServer(name: string, program: string): Promise<ResidentServer> {
  let onCollected: (() => void) | undefined;
  const server = await startServer(name, program, {
    nodeArgs: ["--expose-gc", "--import", PRELOAD],
    onLine: (line) => {
      if (line === "collected") onCollected?.();
      else process.stderr.write(`${name}: ${line}\n`);
    },
  });
  const measureResident = async (): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onCollected = resolve;
    process.kill(server.pid, "SIGUSR2");
    await promise;
    await sleep(SETTLE_MS);
    const bytes = readResidentBytes(server.pid);
    if (bytes === undefined) throw new Error(`${name} has ended`);
    return bytes;
  };
  return { ...server, measureResident };
}
