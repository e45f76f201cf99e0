// Owns: the load of the unary-client scenario: a number of calls in flight for a while, each followed by the next.
// Must not know: which client makes the calls, so that all do the same work. Invariant: every answer was checked.

import { REQUESTED_ID } from "../user-response.ts";
import type { ClientReport, LoadJob } from "./protocol.ts";

/** `call` resolves to the id of the user in the answer. */
export async function runClosedLoop(
  call: (userId: string) => Promise<string | undefined>,
  job: LoadJob,
): Promise<ClientReport> {
  const startedAt = performance.now();
  const usedBefore = process.cpuUsage();
  const mayBegin = createLimit(job, startedAt);
  let calls = 0;
  const callOnAndOn = async (): Promise<void> => {
    while (mayBegin()) {
      const id = await call(REQUESTED_ID);
      if (id !== REQUESTED_ID) throw new Error(`asked for ${REQUESTED_ID}, got ${id}`);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: job.inFlight }, callOnAndOn));
  const { user, system } = process.cpuUsage(usedBefore);
  return {
    callsPerSecond: (calls * 1_000) / (performance.now() - startedAt),
    calls,
    processorMicros: user + system,
  };
}

/** Whether another call may begin: asked once before each. */
function createLimit(job: LoadJob, startedAt: number): () => boolean {
  if ("seconds" in job) {
    const endsAt = startedAt + job.seconds * 1_000;
    return () => performance.now() < endsAt;
  }
  let begun = 0;
  return () => begun++ < job.calls;
}
