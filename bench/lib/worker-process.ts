// Owns: a program that works for a scenario in a process of its own, bound to a core: start, jobs and answers over IPC, end.
// The program's end is lib/worker-jobs.ts. Invariant: a worker that dies fails the job it had, and never outlives us.

import { type ChildProcess, spawn } from "node:child_process";
import { pinned } from "./cores.ts";
import { OWN_SESSION } from "./priority.ts";
import { stopProcess } from "./server-process.ts";

export interface WorkerProcess<Job, Answer> {
  readonly pid: number;
  run(job: Job): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startWorker<Job extends object, Answer>(
  core: number,
  program: string,
  args: readonly string[] = [],
): Promise<WorkerProcess<Job, Answer>> {
  const [command, ...rest] = pinned(core, [process.execPath, program, ...args]);
  const child = spawn(command, rest, { stdio: ["ignore", 2, 2, "ipc"], detached: OWN_SESSION });
  const killWithUs = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  await nextMessage(child, program);
  return {
    pid: child.pid!,
    async run(job) {
      const answer = nextMessage(child, program);
      child.send(job);
      return (await answer) as Answer;
    },
    stop: () => stopProcess(child),
  };
}

function nextMessage(child: ChildProcess, program: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onExit = (code: number | null, signal: string | null): void =>
    reject(new Error(`${program} ended (${signal ?? code}) before it answered`));
  child.once("message", resolve);
  child.once("exit", onExit);
  child.once("error", reject);
  return promise.finally(() => {
    child.off("message", resolve);
    child.off("exit", onExit);
    child.off("error", reject);
  });
}
