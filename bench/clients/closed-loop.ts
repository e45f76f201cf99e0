// Owns: the load of the unary-client scenario: a number of calls in flight for a while, each followed by the next.
// Must not know: which client makes the calls, so that all do the same work. Invariant: every answer was checked.

import { REQUESTED_ID } from "../user-response.ts";
import type { LoadJob, LoadReport } from "./protocol.ts";

/** `call` resolves to the id of the user in the answer. */
export async function runClosedLoop(
  call: (userId: string) => Promise<string | undefined>,
  { seconds, inFlight }: LoadJob,
): Promise<LoadReport> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let calls = 0;
  const callOnAndOn = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const id = await call(REQUESTED_ID);
      if (id !== REQUESTED_ID) throw new Error(`asked for ${REQUESTED_ID}, got ${id}`);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, callOnAndOn));
  return { callsPerSecond: (calls * 1_000) / (performance.now() - startedAt) };
}
