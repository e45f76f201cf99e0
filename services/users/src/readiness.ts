/**
 * Whether this process can do its work, which is whether its storage answers. Owns the asking: how often, how long, and when
 * an opinion changes; knows neither health nor what the storage is.
 *
 * Two failures in a row change it for the worse and one answer for the better: a single late answer under load must not take
 * a replica out, for that is when the others can least do without it.
 * Invariant: one question is under way at most, so a storage that hangs is not asked again and again.
 */

export interface ReadinessOptions {
  /** From one look to the next. Default 2,000 ms. */
  readonly intervalMs?: number;
  /** An answer that takes longer is none. Default 3,000 ms. */
  readonly timeoutMs?: number;
}

/** With the reason, where there is one. */
export type ReadinessListener = (isReady: boolean, reason: string | undefined) => void;

const FAILURES_TO_CHANGE = 2;

/** It begins ready, since whoever opened the storage has had an answer. Nothing is asked before `start`. */
export class Readiness {
  readonly #ping: () => Promise<void>;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #listeners: ReadinessListener[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isReady = true;
  /** The question under way. */
  #asking: Promise<void> | undefined;

  constructor(ping: () => Promise<void>, { intervalMs = 2_000, timeoutMs = 3_000 }: ReadinessOptions = {}) {
    this.#ping = ping;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
  }

  /** Of each change from now on. */
  watch(listener: ReadinessListener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#schedule();
  }

  /** Nothing is asked or told afterwards. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#intervalMs).unref();
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const reason = await this.#ask();
    if (this.#timer !== timer) return;
    this.#note(reason);
    this.#schedule();
  }

  /** Undefined when the storage answered. */
  async #ask(): Promise<string | undefined> {
    const timeoutMs = this.#timeoutMs;
    const limit = Promise.withResolvers<string>();
    const timer = setTimeout(() => limit.resolve(`no answer in ${timeoutMs} ms`), timeoutMs);
    this.#asking ??= this.#ping().finally(() => {
      this.#asking = undefined;
    });
    const answer = this.#asking.then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    try {
      return await Promise.race([answer, limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #note(reason: string | undefined): void {
    this.#failures = reason === undefined ? 0 : this.#failures + 1;
    const isReady = reason === undefined || (this.#isReady && this.#failures < FAILURES_TO_CHANGE);
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    for (const listener of this.#listeners) listener(isReady, reason);
  }
}
