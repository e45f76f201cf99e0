/**
 * Who may work now and who waits: a few works at a time, the others in a bounded line from which an abort removes them.
 * Owns the waiting; knows neither SQL nor an engine.
 *
 * An engine cannot forget what it was given: a statement that nobody waits for any more still takes its time there. So it
 * is given little, and what waits here costs nothing once its requester is gone. Turns go around between requesters (see
 * `fair-line.ts`), so that one with thousands of works delays another's by one work and not by thousands.
 *
 * Bounds: `maxWaiting` works may wait in all. A group may have as many waiting as it leaves free to others, and a member
 * as many as its group then leaves to its other members, so that no one can fill the line alone.
 *
 * Invariants: at most `maxRunning` works run; an exclusive work runs alone; works of one requester start in the order they
 * came; every work that was accepted settles.
 */
import { FairLine } from "./fair-line.ts";
import type { Requester } from "./requester.ts";
import { createAbortError, StorageUnavailableError, TooManyWaitingError } from "./storage-error.ts";

export interface TurnQueueOptions {
  /** Works that run at a time. */
  readonly maxRunning: number;
  /** Works that may wait; default 10,000. Each holds its parameters; one more is refused. */
  readonly maxWaiting?: number;
  /** How long a work may wait; default: as long as its requester does. */
  readonly maxWaitMs?: number;
}

const DEFAULT_MAX_WAITING = 10_000;
const NO_LIMIT = Number.POSITIVE_INFINITY;

interface Waiting {
  readonly requester: Requester;
  readonly isExclusive: boolean;
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
}

export class TurnQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  readonly #line = new FairLine<Waiting>();
  #running = 0;
  /** An exclusive work runs. */
  #isHeld = false;
  #isClosed = false;
  #idleListeners: (() => void)[] = [];

  constructor({ maxRunning, maxWaiting = DEFAULT_MAX_WAITING, maxWaitMs = NO_LIMIT }: TurnQueueOptions) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitMs = maxWaitMs;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Runs `work` at once, or when its turn has come. Rejects without having run it with an AbortError once the requester's
   * signal has fired, with TooManyWaitingError where the requester has its share waiting already, and with
   * StorageUnavailableError where the line is full, the wait took too long, or the queue is closed.
   */
  pass<T>(requester: Requester, work: () => Promise<T>): Promise<T> {
    return this.#run(requester, work, false);
  }

  /** As `pass`, and nothing else runs meanwhile. */
  hold<T>(requester: Requester, work: () => Promise<T>): Promise<T> {
    return this.#run(requester, work, true);
  }

  /** Refuses new work. Resolves when what runs and what waits has ended. */
  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
      this.#tellIdle();
    });
  }

  /** Refuses all that waits. */
  refuseWaiting(error: Error): void {
    for (const { refuse } of this.#line.clear()) refuse(error);
    this.#tellIdle();
  }

  async #run<T>(requester: Requester, work: () => Promise<T>, isExclusive: boolean): Promise<T> {
    if (this.#isClosed) throw new StorageUnavailableError("the storage is closed");
    if (requester.signal?.aborted) throw createAbortError(requester.signal);
    if (this.#line.size > 0 || !this.#isFree(isExclusive)) await this.#turnOf(requester, isExclusive);
    else this.#begin(isExclusive);
    try {
      return await work();
    } finally {
      this.#running--;
      if (isExclusive) this.#isHeld = false;
      this.#startNext();
    }
  }

  /** Resolves with the turn taken: this work counts as running. */
  async #turnOf(requester: Requester, isExclusive: boolean): Promise<void> {
    this.#checkRoom(requester);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { requester, isExclusive, start: resolve, refuse: reject };
    const give = (error: Error): void => {
      if (!this.#line.remove(requester, waiting)) return;
      reject(error);
      // What stood behind an exclusive work may go on now.
      this.#startNext();
    };
    const { signal } = requester;
    const onAbort = (): void => give(createAbortError(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = this.#maxWaitMs === NO_LIMIT ? undefined : setTimeout(() => give(waitedTooLong()), this.#maxWaitMs);
    this.#line.push(requester, waiting);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #checkRoom(requester: Requester): void {
    const left = this.#maxWaiting - this.#line.size;
    const ofGroup = this.#line.sizeOfGroup(requester);
    if (left > 0 && ofGroup === 0) return;
    if (ofGroup === 0) throw new StorageUnavailableError("as many statements wait as may: try again later");
    if (this.#line.sizeOfMember(requester) >= left - ofGroup) throw new TooManyWaitingError(ofGroup);
  }

  #isFree(isExclusive: boolean): boolean {
    return !this.#isHeld && this.#running < (isExclusive ? 1 : this.#maxRunning);
  }

  #begin(isExclusive: boolean): void {
    this.#running++;
    this.#isHeld = isExclusive;
  }

  #startNext(): void {
    for (let next = this.#line.peek(); next !== undefined; next = this.#line.peek()) {
      if (!this.#isFree(next.isExclusive)) return;
      this.#line.take();
      this.#begin(next.isExclusive);
      next.start();
    }
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#running > 0 || this.#line.size > 0) return;
    for (const tell of this.#idleListeners.splice(0)) tell();
  }
}

function waitedTooLong(): Error {
  return new StorageUnavailableError("the statement waited too long for its turn: try again later");
}
