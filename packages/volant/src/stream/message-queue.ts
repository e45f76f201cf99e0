/**
 * Messages that arrived and were not yet taken, as an async iterable for one reader. Owns their order, and that the end
 * or the failure comes after them. Window credit returns when a message is taken, and `inbound.ts` hands over no more than it
 * allows ahead of the reader: both bound the queue.
 *
 * Invariants: it ends only at half-close; everything else is a failure that the reader sees as a throw. Until the reader was
 * told that it has all of them, a failure overrides the end: a part that was cancelled is never taken for the whole.
 */

type Result = IteratorResult<unknown, undefined>;

type Waiter = {
  readonly resolve: (result: Result | Promise<never>) => void;
  readonly reject: (error: unknown) => void;
};

/** Settles the promise of a reader with a failure. */
export type RejectReader = (waiter: Waiter, error: unknown) => void;

/** Places in front of the first message that are empty before they are given back. */
const MAX_GAP = 64;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

export class MessageQueue implements AsyncIterableIterator<unknown, undefined> {
  private messages: unknown[] = [];
  private costs: number[] = [];
  private head = 0;
  /** Who asked first. A loop asks once at a time: others are rare. */
  private waiter: Waiter | undefined = undefined;
  private otherWaiters: Waiter[] = [];
  /** "over": the reader was told of the end or of the failure, or left. */
  private outcome: "open" | "ended" | "failed" | "over" = "open";
  private failure: unknown = undefined;
  private readonly onTaken: (cost: number) => void;
  private readonly onReturn: () => void;
  private readonly rejectReader: RejectReader;

  /** `onTaken(cost)` for each message that leaves; `onReturn` when the reader leaves early. */
  constructor(
    onTaken: (cost: number) => void,
    onReturn: () => void,
    rejectReader: RejectReader = ({ reject }, error) => reject(error),
  ) {
    this.onTaken = onTaken;
    this.onReturn = onReturn;
    this.rejectReader = rejectReader;
  }

  push(message: unknown, cost: number): void {
    if (this.outcome !== "open") {
      this.onTaken(cost);
      return;
    }
    const { waiter } = this;
    if (waiter === undefined) {
      this.messages.push(message);
      this.costs.push(cost);
      return;
    }
    this.waiter = this.otherWaiters.length === 0 ? undefined : this.otherWaiters.shift();
    // First: what is taken may bring the next message in here at once.
    waiter.resolve({ done: false, value: message });
    this.onTaken(cost);
  }

  /** The peer half-closed: what is queued is still delivered. */
  end(): void {
    if (this.outcome !== "open") return;
    const waiters = this.takeWaiters();
    this.outcome = waiters.length === 0 ? "ended" : "over";
    for (const waiter of waiters) waiter.resolve(DONE);
  }

  /** What is queued is dropped, or delivered first where `deliverQueued` says so. */
  fail(error: unknown, deliverQueued = false): void {
    if (this.outcome !== "open" && this.outcome !== "ended") return;
    // The failure is told once; afterwards the iteration is over.
    this.outcome = this.waiter === undefined ? "failed" : "over";
    this.failure = error;
    if (!deliverQueued) this.drop();
    for (const waiter of this.takeWaiters()) this.rejectReader(waiter, error);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.head < this.messages.length) return Promise.resolve({ done: false, value: this.takeFirst() });
    if (this.outcome === "open") return new Promise((resolve, reject) => this.wait({ resolve, reject }));
    const { outcome, failure } = this;
    this.outcome = "over";
    this.failure = undefined;
    if (outcome !== "failed") return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.rejectReader({ resolve, reject }, failure));
  }

  /** The reader leaves: everything that still comes is dropped. */
  return(): Promise<IteratorReturnResult<undefined>> {
    const wasOpen = this.outcome === "open";
    this.end();
    this.outcome = "over";
    // First: credit for what is dropped would bring more messages in here.
    if (wasOpen) this.onReturn();
    this.drop();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private wait(waiter: Waiter): void {
    if (this.waiter === undefined) this.waiter = waiter;
    else this.otherWaiters.push(waiter);
  }

  private takeWaiters(): readonly Waiter[] {
    const { waiter, otherWaiters } = this;
    if (waiter === undefined) return otherWaiters;
    this.waiter = undefined;
    this.otherWaiters = [];
    return [waiter, ...otherWaiters];
  }

  private takeFirst(): unknown {
    const message = this.messages[this.head];
    const cost = this.costs[this.head]!;
    this.messages[this.head] = undefined;
    this.head++;
    if (this.head === this.messages.length) this.clear();
    else if (this.head >= MAX_GAP && this.head * 2 >= this.messages.length) this.closeGap();
    this.onTaken(cost);
    return message;
  }

  /** A reader that never catches up must not leave a growing trail. */
  private closeGap(): void {
    this.messages.splice(0, this.head);
    this.costs.splice(0, this.head);
    this.head = 0;
  }

  private drop(): void {
    let cost = 0;
    for (let at = this.head; at < this.costs.length; at++) cost += this.costs[at]!;
    this.clear();
    if (cost > 0) this.onTaken(cost);
  }

  private clear(): void {
    this.messages = [];
    this.costs = [];
    this.head = 0;
  }
}
