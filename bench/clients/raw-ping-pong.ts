// The load of the bidi-streaming scenario: a connection for each job, streams that play ping-pong for a while, all ended in order.

import { PingPongConnection } from "../lib/ping-pong-connection.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import type { LoadReport, PingPongJob } from "./protocol.ts";

async function play({ port, seconds, streams }: PingPongJob): Promise<LoadReport> {
  const connection = await PingPongConnection.open(port);
  try {
    const startedAt = performance.now();
    const echoes = await connection.play(streams, startedAt + seconds * 1_000);
    return { callsPerSecond: (echoes * 1_000) / (performance.now() - startedAt) };
  } finally {
    connection.close();
  }
}

answerJobs(play);
