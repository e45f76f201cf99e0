// Owns: messages a second that a server echoes on one core, ours against grpc-js: 100 streams of one connection, a message on
// each that is sent again, changed, when its echo has arrived. Both servers live through the whole comparison; the generator
// compares every octet of every echo.

import { join } from "node:path";
import type { LoadReport, PingPongJob } from "../clients/protocol.ts";
import { GENERATOR_CORE } from "../lib/cores.ts";
import type { Sample } from "../lib/pairs.ts";
import { watchLoad } from "../lib/process-usage.ts";
import type { RunOptions, Scenario } from "../lib/scenario.ts";
import { compareStreamingServers } from "../lib/streaming-servers.ts";
import type { Row } from "../lib/targets.ts";
import { startWorker, type WorkerProcess } from "../lib/worker-process.ts";

const STREAMS = 100;
const PROGRAM = join(import.meta.dirname, "..", "clients", "raw-ping-pong.ts");

export const bidiStreaming: Scenario = { name: "bidi-streaming", run: runBidiStreaming };

type Generator = WorkerProcess<PingPongJob, LoadReport>;

async function runBidiStreaming(options: RunOptions): Promise<Row[]> {
  const generator: Generator = await startWorker(GENERATOR_CORE, PROGRAM);
  try {
    return await compareStreamingServers("bidi-streaming", options, async (server) => {
      const measure = async (): Promise<Sample> => {
        const load = watchLoad(generator.pid);
        const job: PingPongJob = { port: server.port, seconds: options.durationSeconds, streams: STREAMS };
        const { callsPerSecond } = await generator.run(job);
        return { value: callsPerSecond, generatorLoad: load.stop() };
      };
      await measure();
      return measure;
    });
  } finally {
    await generator.stop();
  }
}
