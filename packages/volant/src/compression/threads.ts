/**
 * How much compression may run off the event loop at once, for the whole process. Owns the count and the order: first come,
 * first served, and a stream never asks for a second piece before its first is done, so that none gets ahead of others.
 *
 * Without a bound, a burst of large messages would fill zlib's thread pool, which file reads, DNS and key derivation
 * share, and hold an output buffer for each.
 */

/** One message to compress or to inflate. */
export interface ThreadWork {
  /** Begins; `onDone` once it has finished, whatever came of it. */
  begin(onDone: () => void): void;
}

/** The pool has 4 threads unless the variable says otherwise; one is left to everybody else. */
const POOL_THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;

export class CompressionThreads {
  readonly maxRunning: number;
  private running = 0;
  private readonly waiting = new Set<ThreadWork>();

  constructor(maxRunning: number) {
    this.maxRunning = maxRunning;
  }

  get runningCount(): number {
    return this.running;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  start(work: ThreadWork): void {
    this.waiting.add(work);
    this.beginNext();
  }

  /** Work that has not begun is let go of; what runs is bounded, and its result nobody's. */
  cancel(work: ThreadWork): void {
    this.waiting.delete(work);
  }

  private beginNext(): void {
    for (const work of this.waiting) {
      if (this.running >= this.maxRunning) return;
      this.waiting.delete(work);
      this.running++;
      work.begin(() => {
        this.running--;
        this.beginNext();
      });
    }
  }
}

/** Shared by every server and channel of the process. */
export const compressionThreads: CompressionThreads = new CompressionThreads(Math.max(1, POOL_THREADS - 1));
