/**
 * The status of every name, and who waits for a change of it. Owns both; knows neither messages nor calls.
 *
 * Invariants: a watcher keeps nothing but the status it gave last, so one that is slow sees the latest and never a backlog.
 * A name that nobody watches any more and that was never set leaves nothing behind, since names come from peers.
 */

/** What `status.set` takes. */
export const SERVING_STATUSES = ["SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
export type ServingStatus = (typeof SERVING_STATUSES)[number];

export class StatusBoard {
  private readonly statuses = new Map<string, ServingStatus>();
  private readonly watchers = new Map<string, Set<Watcher>>();
  private closed = false;

  /** A name that exists: SERVING, unless somebody has said otherwise before. */
  add(name: string): void {
    if (!this.statuses.has(name)) this.set(name, "SERVING");
  }

  set(name: string, status: ServingStatus): void {
    this.statuses.set(name, status);
    this.notify(name);
  }

  /** Of a name that nobody has set: SERVICE_UNKNOWN. */
  get(name: string): ServingStatus {
    const status = this.statuses.get(name) ?? "SERVICE_UNKNOWN";
    return this.closed && status === "SERVING" ? "NOT_SERVING" : status;
  }

  /** Everything known, by name. */
  list(): ReadonlyMap<string, ServingStatus> {
    const known = [...this.statuses.keys()].filter((name) => this.get(name) !== "SERVICE_UNKNOWN");
    return new Map(known.map((name) => [name, this.get(name)]));
  }

  /**
   * The status now, then each that differs from the one given before, as `render` shows it. Ends after the last one once the
   * board is closed.
   */
  watch<T>(name: string, render: (status: ServingStatus) => T): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const watcher = new StatusWatcher(this, name, render);
        const others = this.watchers.get(name);
        if (others === undefined) this.watchers.set(name, new Set([watcher]));
        else others.add(watcher);
        return watcher;
      },
    };
  }

  /** For good: nothing is SERVING any more, and watchers end as soon as they have said so. */
  close(): void {
    this.closed = true;
    for (const name of [...this.watchers.keys()]) this.notify(name);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Names that somebody watches. */
  get watchedCount(): number {
    return this.watchers.size;
  }

  /** Internal: a watcher has gone. */
  forget(name: string, watcher: Watcher): void {
    const others = this.watchers.get(name);
    if (others?.delete(watcher) && others.size === 0) this.watchers.delete(name);
  }

  private notify(name: string): void {
    for (const watcher of [...(this.watchers.get(name) ?? [])]) watcher.onChanged();
  }
}

interface Watcher {
  onChanged(): void;
}

type Step<T> = IteratorResult<T, undefined>;

const END: Step<never> = { done: true, value: undefined };

/** Written out and not a generator: one that waits for a change could not be told to return. */
class StatusWatcher<T> implements AsyncIterator<T, undefined>, Watcher {
  private readonly board: StatusBoard;
  private readonly name: string;
  private readonly render: (status: ServingStatus) => T;
  private given: ServingStatus | undefined = undefined;
  private isOver = false;
  private waiting: ((step: Step<T>) => void) | undefined = undefined;

  constructor(board: StatusBoard, name: string, render: (status: ServingStatus) => T) {
    this.board = board;
    this.name = name;
    this.render = render;
  }

  /** One at a time, as its only reader asks. */
  next(): Promise<Step<T>> {
    const step = this.take();
    if (step !== undefined) return Promise.resolve(step);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  return(): Promise<Step<T>> {
    this.end();
    this.answer(END);
    return Promise.resolve(END);
  }

  onChanged(): void {
    if (this.waiting === undefined) return;
    const step = this.take();
    if (step !== undefined) this.answer(step);
  }

  /** The next step, if there is one already. */
  private take(): Step<T> | undefined {
    if (this.isOver) return END;
    const status = this.board.get(this.name);
    if (status !== this.given) {
      this.given = status;
      return { done: false, value: this.render(status) };
    }
    if (!this.board.isClosed) return undefined;
    this.end();
    return END;
  }

  private end(): void {
    this.isOver = true;
    this.board.forget(this.name, this);
  }

  private answer(step: Step<T>): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(step);
  }
}
