/**
 * How much is read from a socket at once, and for how long it may go on: 64 KiB are one message or six thousand frames, and
 * while one peer's are handled all others wait. A socket that always has more would be read 32 times in a row. Owns both
 * figures; knows no socket and no clock.
 *
 * Where octets cost little, large reads in a row save system calls: a large upload is five per cent slower if every full
 * read ends the turn.
 */

const SMALLEST_BYTES = 16_384;
export const MAX_READ_BYTES = 131_072;
/** A full read that took longer to handle makes the next one smaller. */
const LONG_MS = 1;
/** One that took less makes it larger: twice as much is still well below a millisecond. */
const SHORT_MS = 0.3;
/** What reads in a row may take before others get their turn, divided by how many have had as much in the same turn. */
const TURN_MS = 1;

export class ReadPace {
  /** Octets to read at most. Few at first: a peer that reconnects for each burst gains nothing by it. */
  bytes = SMALLEST_BYTES;
  private turnMs = 0;

  /**
   * A read was handled. True: it is the others' turn. `yieldingCount`: sockets that have given up this turn already; with
   * many of them turns would become long for those that have little.
   */
  onRead(length: number, tookMs: number, yieldingCount: number): boolean {
    if (length < this.bytes) {
      this.turnMs = 0;
      return false;
    }
    if (tookMs > LONG_MS) this.bytes = Math.max(SMALLEST_BYTES, this.bytes / 2);
    else if (tookMs < SHORT_MS) this.bytes = Math.min(MAX_READ_BYTES, this.bytes * 2);
    this.turnMs += tookMs;
    if (this.turnMs * (1 + yieldingCount) < TURN_MS) return false;
    this.turnMs = 0;
    return true;
  }
}
