/**
 * Who may talk to a single session, and when: statements pass freely, a transaction has the session to itself. Owns the
 * queue and nothing else.
 *
 * Invariant: strict arrival order, decided synchronously; nothing slips between BEGIN and COMMIT.
 */
interface Waiting {
  readonly exclusive: boolean;
  readonly start: () => void;
}

export class TurnGate {
  readonly #waiting: Waiting[] = [];
  #held = false;

  /** Starts `run` at once, or as soon as those before it allow; others may start before it ends. */
  pass<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isFree()) return run();
    return new Promise((resolve) => {
      this.#waiting.push({ exclusive: false, start: () => resolve(run()) });
    });
  }

  /** Runs `run` alone: what comes after it starts when it has settled. */
  async hold<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isFree()) this.#held = true;
    else await new Promise<void>((start) => this.#waiting.push({ exclusive: true, start }));
    try {
      return await run();
    } finally {
      this.#release();
    }
  }

  #isFree(): boolean {
    return !this.#held && this.#waiting.length === 0;
  }

  #release(): void {
    this.#held = false;
    while (!this.#held) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#held = next.exclusive;
      next.start();
    }
  }
}
