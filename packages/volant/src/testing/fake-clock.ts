/**
 * Virtual time for tests: nothing happens until somebody moves it, and what is due happens in order of time, then of
 * scheduling. Owns the current time and the tasks; knows nothing of what they do.
 */

export interface ClockTask {
  readonly dueMs: number;
}

interface QueuedTask extends ClockTask {
  readonly order: number;
  readonly run: () => void;
}

export class FakeClock {
  private current: number;
  private scheduled = 0;
  private tasks: QueuedTask[] = [];

  constructor(startMs: number = 0) {
    this.current = startMs;
  }

  get nowMs(): number {
    return this.current;
  }

  /** When the next task is due; Infinity where there is none. */
  get nextDueMs(): number {
    return this.tasks[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  get pendingTasks(): number {
    return this.tasks.length;
  }

  /** A task that is due in the past runs at the present time. */
  schedule(dueMs: number, run: () => void): ClockTask {
    const task: QueuedTask = { dueMs: Math.max(dueMs, this.current), order: this.scheduled++, run };
    const later = this.tasks.findIndex((other) => other.dueMs > task.dueMs);
    this.tasks.splice(later === -1 ? this.tasks.length : later, 0, task);
    return task;
  }

  cancel(task: ClockTask): void {
    this.tasks = this.tasks.filter((other) => other !== task);
  }

  /** Moves to the next task and runs it. False where there is none. */
  runNext(): boolean {
    const task = this.tasks.shift();
    if (task === undefined) return false;
    this.current = task.dueMs;
    task.run();
    return true;
  }

  /** Moves time without running what is not due by then; tasks scheduled meanwhile are included. */
  advance(byMs: number): void {
    const until = this.current + byMs;
    while (this.nextDueMs <= until) this.runNext();
    this.current = until;
  }
}
