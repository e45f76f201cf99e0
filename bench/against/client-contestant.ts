// Owns: our client as one side of a comparison: calls to a server of this tree on the other core, and the processor time that the
// client's process says it used for them. The program checks every answer.

import { join } from "node:path";
import type { ClientReport, LoadJob } from "../clients/protocol.ts";
import { GENERATOR_CORE } from "../lib/cores.ts";
import { raisePriority } from "../lib/priority.ts";
import { watchLoad } from "../lib/process-usage.ts";
import type { ServerProcess } from "../lib/server-process.ts";
import { startWorker } from "../lib/worker-process.ts";
import { type Contestant, SLICE_CALLS, type Tree, WARM_UP_CALLS } from "./compare.ts";

const IN_FLIGHT = 100;

export async function startClientContestant({ folder }: Tree, server: ServerProcess): Promise<Contestant> {
  const program = join(folder, "bench", "clients", "volant-unary.ts");
  const client = await startWorker<LoadJob, ClientReport>(GENERATOR_CORE, program, [String(server.port)]);
  raisePriority(client.pid);
  return {
    async warmUp() {
      await client.run({ inFlight: IN_FLIGHT, calls: WARM_UP_CALLS });
    },
    async measure() {
      const load = watchLoad(server.pid);
      const { calls, processorMicros } = await client.run({ inFlight: IN_FLIGHT, calls: SLICE_CALLS });
      return { processorMicros, calls, generatorLoad: load.stop() };
    },
    stop: () => client.stop(),
  };
}
