// Owns: the worker's end of lib/worker-process.ts: say ready, answer each job, end with the parent.

/** Answers jobs one after the other. What `answer` throws ends the process, which the parent sees. */
export function answerJobs<Job, Answer>(answer: (job: Job) => Answer | Promise<Answer>): void {
  if (process.send === undefined) throw new Error("this program is started by the bench, not by hand");
  process.on("message", async (job: Job) => process.send!(await answer(job)));
  // Also where the parent was killed and could not stop us.
  process.once("disconnect", () => process.exit());
  process.send("ready");
}
