/**
 * Flow-control windows. Owns their arithmetic: no other file adds to or subtracts from a window. RFC 9113 §5.2, §6.9.
 *
 * Invariant of a receive window: open + held + returned = target + granted + excess, at every moment. What is received
 * is held until it is consumed; what is consumed is returned to the peer in batches of a third of the target, so that a
 * peer whose octets are used at once always has two thirds of a window under way.
 *
 * Why nothing can wedge: the octets of messages that are still incomplete are granted on top of the target. So when
 * nothing is open, more than half of the target is complete messages, and whoever takes one of them returns credit.
 */

/** RFC 9113 §6.9.1: a window never exceeds 2^31-1. */
export const MAX_WINDOW_BYTES = 0x7fff_ffff;
/** What every window is until SETTINGS say otherwise. RFC 9113 §6.9.2. */
export const DEFAULT_WINDOW_BYTES = 65_535;

/** Padding is announced at once while less than the largest frame of most peers can come. */
const LOW_BYTES = 16_384;

/** Of so many batches a window consists. Two would let a window-bound peer have no more than half of it under way. */
const BATCHES = 3;

/** What the peer lets us send. May be negative after the peer lowered SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2). */
export class SendWindow {
  available: number;
  /** What the peer has allowed since the start: it tells of what was read. */
  credited = 0;
  private readonly initialBytes: number;

  constructor(initialBytes: number) {
    this.available = initialBytes;
    this.initialBytes = initialBytes;
  }

  /** Bytes sent so far. Costs nothing where they are sent. */
  get sent(): number {
    return this.initialBytes + this.credited - this.available;
  }

  consume(bytes: number): void {
    this.available -= bytes;
  }

  /** WINDOW_UPDATE, or a change of the initial size. False where the window would exceed 2^31-1. */
  adjust(bytes: number): boolean {
    if (this.available + bytes > MAX_WINDOW_BYTES) return false;
    this.available += bytes;
    this.credited += bytes;
    return true;
  }
}

/** What we let the peer send. */
export class ReceiveWindow {
  /** Octets the peer may still send. Negative after {@link resize} to less than is under way. */
  open: number;
  /** Octets received and not yet consumed. */
  held = 0;
  /** The size this window returns to. */
  private target: number;
  /** Octets the peer may send again and was not told of yet. */
  private returned = 0;
  /** Octets granted above the target for messages that are larger than the window. */
  private granted = 0;
  /** Grants whose stream ended before using them: the next grants or whatever is consumed next pay them back. */
  private excess = 0;

  constructor(targetBytes: number) {
    this.open = targetBytes;
    this.target = targetBytes;
  }

  /** False where the peer sent more than it was allowed: FLOW_CONTROL_ERROR. */
  receive(bytes: number): boolean {
    // RFC 9113 §6.9.1: a frame without octets passes a window that is empty or negative.
    if (bytes > this.open && bytes > 0) return false;
    this.open -= bytes;
    this.held += bytes;
    return true;
  }

  /** The size this window returns to, grants aside. */
  get size(): number {
    return this.target;
  }

  /** Octets that wait for the application, those of granted messages aside. */
  get waiting(): number {
    return Math.max(0, this.held - this.granted);
  }

  /** Takes octets out of `held`. The result is the increment to announce now; 0: nothing yet. */
  consume(bytes: number): number {
    this.held -= bytes;
    const forgiven = Math.min(bytes, this.excess);
    this.excess -= forgiven;
    this.returned += bytes - forgiven;
    return this.isBatchComplete ? this.takeReturned() : 0;
  }

  /** Consumed octets that were granted on top are not returned. The result is how many of `bytes` those are. */
  settleGrant(bytes: number): number {
    const settled = Math.min(bytes, this.granted);
    this.granted -= settled;
    this.held -= settled;
    return settled;
  }

  /**
   * Takes padding out of `held`. It is no part of the message that it comes with, which may need the whole window and whatever
   * was granted on top: so it settles no grant, and where little is open it does not wait for a batch. The result is the
   * increment to announce.
   */
  consumePadding(bytes: number): number {
    const increment = this.consume(bytes);
    return increment === 0 && this.isLow ? this.takeReturned() : increment;
  }

  get isLow(): boolean {
    return this.open < LOW_BYTES;
  }

  /** Allows `bytes` above the target; {@link announce} says when the peer hears of them. */
  grant(bytes: number): void {
    const reused = Math.min(bytes, this.excess);
    this.excess -= reused;
    this.granted += bytes;
    this.returned += bytes - reused;
  }

  /** The stream of a grant is gone: `bytes` of it were never used. */
  abandonGrant(bytes: number): void {
    const unannounced = Math.min(bytes, this.returned);
    this.granted -= bytes;
    this.returned -= unannounced;
    this.excess += bytes - unannounced;
  }

  /** Everything held at once, for a stream that is over: nothing of it is announced. */
  takeHeld(): number {
    const { held } = this;
    this.held = 0;
    return held;
  }

  /** Octets by which `bytes` exceed what the peer may send now or once everything returned is announced. */
  missing(bytes: number): number {
    const missing = bytes - this.open - this.returned;
    return Math.max(missing, 0);
  }

  /** The increment to announce so that the peer can send `bytes`, or because a batch came together; or 0. */
  announce(bytes: number): number {
    return bytes > this.open || this.isBatchComplete ? this.takeReturned() : 0;
  }

  /**
   * RFC 9113 §6.9.2: another initial size is in force; what is under way may leave the window negative. The result is the
   * increment to announce now: what was too little to return may be much of the new size.
   */
  resize(targetBytes: number): number {
    this.open += targetBytes - this.target;
    this.target = targetBytes;
    return this.isBatchComplete ? this.takeReturned() : 0;
  }

  /** The window returns to a larger size from now on. The result is the increment that tells the peer. */
  grow(targetBytes: number): number {
    const more = targetBytes - this.target;
    const forgiven = Math.min(more, this.excess);
    this.target = targetBytes;
    this.excess -= forgiven;
    this.returned += more - forgiven;
    return this.takeReturned();
  }

  private get isBatchComplete(): boolean {
    return this.returned * BATCHES >= this.target;
  }

  /** Everything returned so far as one increment. */
  private takeReturned(): number {
    const room = MAX_WINDOW_BYTES - this.open;
    const increment = Math.min(this.returned, room);
    this.returned -= increment;
    this.open += increment;
    return increment;
  }
}
