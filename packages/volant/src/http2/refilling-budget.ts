/**
 * Budgets that grow back. Owns their arithmetic; knows no cause and decides nothing. Time is an argument.
 *
 * Why not a count for life: whatever a busy and honest peer does, it does millions of times in a day. A count that never
 * grows back turns any rare event into an outage; a rate does not.
 */

/** A token bucket that may be overdrawn by as much as it holds. */
export class RefillingBudget {
  private readonly burst: number;
  private readonly perSecond: number;
  private tokens: number;
  private atMs = 0;

  /** `burst`: tokens when full, and the largest debt. Infinity: never empty. */
  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
  }

  /** What is left afterwards; below zero it is a debt. */
  spend(cost: number, nowMs: number): number {
    this.refill(nowMs);
    this.tokens = Math.max(this.tokens - cost, -this.burst);
    return this.tokens;
  }

  refund(tokens: number): void {
    this.tokens = Math.min(this.burst, this.tokens + tokens);
  }

  /** True while a whole token is left. */
  hasToken(nowMs: number): boolean {
    if (this.tokens < 1) this.refill(nowMs);
    return this.tokens >= 1;
  }

  /** True once the debt is as large as it can be. */
  get isExhausted(): boolean {
    return this.tokens <= -this.burst;
  }

  /** When a debt left by a `spend` at `nowMs` will have grown back. */
  paidAtMs(nowMs: number): number {
    return nowMs + (Math.max(0, -this.tokens) / this.perSecond) * 1_000;
  }

  private refill(nowMs: number): void {
    if (nowMs <= this.atMs) return;
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.atMs) / 1_000) * this.perSecond);
    this.atMs = nowMs;
  }
}

/** Frames that are free because something else earned them: so many for each stream, so many for each DATA sent. */
export class EarnedAllowance {
  private readonly most: number;
  private left = 0;
  private used = 0;

  /** `most` can be saved up, so that a long and busy life is no licence for a flood. */
  constructor(most: number) {
    this.most = most;
  }

  /** `earned`: everything earned since the connection began. False where this frame is not covered by it. */
  take(earned: number): boolean {
    if (this.left === 0) {
      this.left = Math.min(this.most, earned - this.used);
      this.used = earned;
      if (this.left === 0) return false;
    }
    this.left--;
    return true;
  }
}
