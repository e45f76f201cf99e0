// Owns: the server of the fairness scenario: the public API over cleartext and TLS, with a loop that can be held up on purpose, so that
// what attackers sent waits in the kernel, and that tells how long its turns were afterwards.

import { Server } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { createUserResponse } from "../user-response.ts";
import type { ServerJob, ServerReport } from "./protocol.ts";

/** What a handler does with its own hands: validation, a query that is put together, a row that is read. */
const HANDLER_MS = 0.2;

const server = new Server();
server.add(
  UserService,
  {
    async getUser({ userId }) {
      for (const endsAt = performance.now() + HANDLER_MS; performance.now() < endsAt; );
      return createUserResponse(userId, BigInt);
    },
  },
  { partial: true },
);

/** The most processor time from one turn of the loop to the next: what others on the machine do is not part of it. */
async function longestTurn(ms: number): Promise<number> {
  let longestMs = 0;
  let lastMs = processorMs();
  for (const endsAt = performance.now() + ms; performance.now() < endsAt; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const nowMs = processorMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }
  return longestMs;
}

function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

answerJobs(async (job: ServerJob): Promise<ServerReport> => {
  if (job.what === "listen") {
    const { port } = await server.listen({ host: "127.0.0.1", port: 0, ...(job.tls && { tls: job.tls }) });
    return { port };
  }
  for (const endsAt = performance.now() + job.heldUpMs; performance.now() < endsAt; );
  return { longestTurnMs: await longestTurn(job.watchedMs) };
});
