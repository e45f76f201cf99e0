/**
 * Flow-control windows. Owns their arithmetic: no other file adds to or subtracts from a window. RFC 9113 §5.2, §6.9.
 *
 * Invariant of a receive window: open + held + returned = target + granted + excess, at every moment. What is received
 * is held until it is consumed; what is consumed is returned to the peer in batches of half the target.
 */

/** RFC 9113 §6.9.1: a window never exceeds 2^31-1. */
export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** What the peer lets us send. May be negative after the peer lowered SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2). */
export class SendWindow {
  available: number;

  constructor(initialBytes: number) {
    this.available = initialBytes;
  }

  consume(bytes: number): void {
    this.available -= bytes;
  }

  /** WINDOW_UPDATE, or a change of the initial size. False where the window would exceed 2^31-1. */
  adjust(bytes: number): boolean {
    if (this.available + bytes > MAX_WINDOW_BYTES) return false;
    this.available += bytes;
    return true;
  }
}

/** What we let the peer send. */
export class ReceiveWindow {
  /** Octets the peer may still send. */
  open: number;
  /** Octets received and not yet consumed. */
  held = 0;
  /** The size this window returns to. */
  private readonly target: number;
  /** Octets consumed and not yet announced to the peer. */
  private returned = 0;
  /** Octets granted above the target for a message that is larger than the window. */
  private granted = 0;
  /** Grants whose stream ended before using them: paid back by whatever is consumed next. */
  private excess = 0;

  constructor(targetBytes: number) {
    this.open = targetBytes;
    this.target = targetBytes;
  }

  /** False where the peer sent more than it was allowed: FLOW_CONTROL_ERROR. */
  receive(bytes: number): boolean {
    if (bytes > this.open) return false;
    this.open -= bytes;
    this.held += bytes;
    return true;
  }

  /** Takes octets out of `held`. The result is the increment to announce now; 0: nothing yet. */
  consume(bytes: number): number {
    this.held -= bytes;
    const forgiven = bytes < this.excess ? bytes : this.excess;
    this.excess -= forgiven;
    this.returned += bytes - forgiven;
    return this.returned * 2 >= this.target ? this.takeReturned() : 0;
  }

  /** Consumed octets that were granted on top are not returned. The result is how many of `bytes` those are. */
  settleGrant(bytes: number): number {
    const settled = bytes < this.granted ? bytes : this.granted;
    this.granted -= settled;
    this.held -= settled;
    return settled;
  }

  /** Lets the peer send `bytes` in all. The result is how much of that is above the target. */
  grant(bytes: number): number {
    const extra = Math.min(bytes, MAX_WINDOW_BYTES - this.open);
    this.granted += extra;
    this.open += extra;
    return extra;
  }

  /** The stream of a grant is gone: `bytes` of it were never used. */
  abandonGrant(bytes: number): void {
    this.granted -= bytes;
    this.excess += bytes;
  }

  get grantedBytes(): number {
    return this.granted;
  }

  /** Everything consumed so far as one increment. */
  takeReturned(): number {
    const increment = this.returned;
    this.returned = 0;
    this.open += increment;
    return increment;
  }
}
