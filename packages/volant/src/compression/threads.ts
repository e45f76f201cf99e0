/**
 * How much compression may run off the event loop at once, for the whole process. Owns the count and the order: peers take
 * turns, within a peer its connections do, and within a connection it is first come, first served. A stream never asks for a
 * second piece before its first is done.
 *
 * Without a bound, a burst of large messages would fill zlib's thread pool, which file reads, DNS and key derivation
 * share, and hold an output buffer for each. Without turns, whoever has hundreds of large messages makes all others wait.
 *
 * Lists of entries that know their neighbours, and forget them when they leave: what waits holds a call, and of a Set whose
 * members come and go V8 keeps what has left (see `http2/stream-table.ts`).
 */
import { processState } from "../rpc/process-state.ts";

type Entry = ThreadLine | ThreadWork;

/** What waits of a peer, or of one of its connections. It belongs to these; only {@link CompressionThreads} fills it. */
export class ThreadLine {
  /** Where this takes its turns; `undefined`: among peers. */
  readonly line: ThreadLine | undefined;
  first: Entry | undefined = undefined;
  before: Entry | undefined = undefined;
  after: Entry | undefined = undefined;
  private last: Entry | undefined = undefined;

  constructor(line?: ThreadLine) {
    this.line = line;
  }

  add(entry: Entry): void {
    entry.before = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.after = entry;
    this.last = entry;
  }

  remove(entry: Entry): void {
    const { before, after } = entry;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    entry.before = undefined;
    entry.after = undefined;
  }
}

/** One message to compress or to inflate. */
export class ThreadWork {
  readonly line: ThreadLine;
  /** Begins; `onDone` once it has finished, whatever came of it. */
  readonly begin: (onDone: () => void) => void;
  /** In its line. Owned, as the neighbours are, by {@link CompressionThreads}. */
  isWaiting = false;
  before: Entry | undefined = undefined;
  after: Entry | undefined = undefined;

  constructor(line: ThreadLine, begin: (onDone: () => void) => void) {
    this.line = line;
    this.begin = begin;
  }
}

/** The pool has 4 threads unless the variable says otherwise; one is left to everybody else. */
const POOL_THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;

export class CompressionThreads {
  readonly maxRunning: number;
  private running = 0;
  private waiting = 0;
  /** A line is in the one above it while something waits in it; the next turn is the first one's. */
  private readonly peers = new ThreadLine();

  constructor(maxRunning: number) {
    this.maxRunning = maxRunning;
  }

  get runningCount(): number {
    return this.running;
  }

  get waitingCount(): number {
    return this.waiting;
  }

  /** At most once for each. */
  start(work: ThreadWork): void {
    work.isWaiting = true;
    this.waiting++;
    let entry: Entry = work;
    for (let line: ThreadLine | undefined = work.line; line !== undefined; line = this.above(line)) {
      const wasEmpty = line.first === undefined;
      line.add(entry);
      if (!wasEmpty) break;
      entry = line;
    }
    this.beginNext();
  }

  /** Work that has not begun is let go of; what runs is bounded, and its result nobody's. */
  cancel(work: ThreadWork): void {
    if (work.isWaiting) this.leave(work, false);
  }

  private beginNext(): void {
    while (this.running < this.maxRunning) {
      const work = this.next();
      if (work === undefined) return;
      this.leave(work, true);
      this.running++;
      work.begin(() => {
        this.running--;
        this.beginNext();
      });
    }
  }

  private next(): ThreadWork | undefined {
    let { first } = this.peers;
    // Another copy of the package has its own classes: what tells the two apart is what they have.
    while (first !== undefined && !("begin" in first)) first = first.first;
    return first;
  }

  /** Lines that had their turn go behind the others, and those that are empty are no longer in any. */
  private leave(work: ThreadWork, isTurn: boolean): void {
    let { line } = work;
    work.isWaiting = false;
    this.waiting--;
    line.remove(work);
    for (let above = this.above(line); above !== undefined; above = this.above(line)) {
      const isEmpty = line.first === undefined;
      if (!isEmpty && !isTurn) return;
      above.remove(line);
      if (!isEmpty) above.add(line);
      line = above;
    }
  }

  private above(line: ThreadLine): ThreadLine | undefined {
    return line === this.peers ? undefined : (line.line ?? this.peers);
  }
}

/** Shared by every server and channel of the process. */
export const compressionThreads: CompressionThreads = processState(
  "compressionThreads",
  () => new CompressionThreads(Math.max(1, POOL_THREADS - 1)),
);
