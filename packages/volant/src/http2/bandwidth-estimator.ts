/**
 * How much a peer can have under way before our credit reaches it: the bandwidth at which DATA arrives, times the round trip
 * of a PING. Owns that arithmetic and when a sample is worth a PING; sends nothing and knows no window but those it is
 * asked about. Time is an argument.
 *
 * A window bounds its sender where that product comes near it; credit goes back in thirds of a window, so at least two
 * thirds are under way then. Twice the product leaves room for the next one to be larger. A product that is larger only
 * because the round trip took longer is a queue on the path, and a larger window would make the queue longer; so the
 * bandwidth must have grown as well.
 */

/** Taken for the round trip until one is measured. Slower senders than half a window in it have nothing to gain. */
const UNKNOWN_ROUND_TRIP_MS = 1_000;
/** A round trip that was short once may become longer; below this nobody's window matters. */
const MIN_ROUND_TRIP_MS = 10;
/** Keeps rates finite where an acknowledgement comes in the same instant. */
const MIN_INTERVAL_MS = 0.1;
/** The product is near a window above this part of it: a little less than the two thirds that it may be at least. */
const NEAR_WINDOW = 0.625;
/** Growth of bandwidth that is no noise: with less than an eighth more the last window was nearly enough. */
const MIN_GAIN = 9 / 8;

export class BandwidthEstimator {
  /** From the PING to its acknowledgement. */
  isSampling = false;
  /** Octets since the last sample was over. A window's worth comes in bursts: those before the PING count as well. */
  private bytes = 0;
  /** When the first of them came. */
  private sinceMs = 0;
  private pingMs = 0;
  private roundTripMs = UNKNOWN_ROUND_TRIP_MS;
  /** Octets a millisecond in the last sample, and in the one that last made a window grow. */
  private rate = 0;
  private usedRate = 0;

  /** The result is how many octets are counted now. */
  add(bytes: number, nowMs: number): number {
    if (this.bytes === 0) this.sinceMs = nowMs;
    this.bytes += bytes;
    return this.bytes;
  }

  /**
   * Whether what was counted came so fast that the product could come near the window. Otherwise counting starts anew, so
   * that a trickle is never worth a PING however long it lasts.
   */
  isWorthSampling(windowBytes: number, nowMs: number): boolean {
    const roundTripMs = Math.max(this.roundTripMs, MIN_ROUND_TRIP_MS);
    if (2 * this.bytes * roundTripMs >= windowBytes * (nowMs - this.sinceMs)) return true;
    this.bytes = 0;
    return false;
  }

  begin(nowMs: number): void {
    this.isSampling = true;
    this.pingMs = nowMs;
  }

  /** The acknowledgement is here. The result is the product in octets, or 0 where the bandwidth is no larger than it was. */
  end(nowMs: number): number {
    this.isSampling = false;
    this.roundTripMs = Math.max(nowMs - this.pingMs, MIN_INTERVAL_MS);
    this.rate = this.bytes / Math.max(nowMs - this.sinceMs, MIN_INTERVAL_MS);
    this.bytes = 0;
    return this.rate >= this.usedRate * MIN_GAIN ? Math.floor(this.rate * this.roundTripMs) : 0;
  }

  /** A window grew because of the last sample: the next growth needs more bandwidth than that. */
  accept(): void {
    this.usedRate = this.rate;
  }
}

/** The size of a window after a sample: at least what it was, at most `maxBytes` where it was not above that. */
export function windowAfterSample(windowBytes: number, productBytes: number, maxBytes: number): number {
  if (productBytes < windowBytes * NEAR_WINDOW) return windowBytes;
  return Math.max(windowBytes, Math.min(2 * productBytes, maxBytes));
}
