/**
 * Handlers that have not finished, of one server. A call can be over before its handler is: cancelled, or past its
 * deadline. A drain waits for these too, so that no write is cut in half. Owns the count; synchronous handlers never count.
 */
export class RunningHandlers {
  private count = 0;
  private waiters: (() => void)[] = [];

  get size(): number {
    return this.count;
  }

  begin(): void {
    this.count++;
  }

  end(): void {
    if (--this.count === 0) this.giveUp();
  }

  /** Resolves when none is running, or when nobody waits any longer. */
  whenIdle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Whoever waits goes on although some still run. */
  giveUp(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
