/**
 * How much is read from a socket at once, and handled at once: 64 KiB are one message or six thousand frames, and while one
 * peer's are handled all others wait. Owns the figure; knows no socket and no clock.
 *
 * Where bytes cost little, large reads in a row save system calls: a large upload is five per cent slower if every full
 * read ends the turn.
 */

/** Few at first: a peer that reconnects for each burst gains nothing by it. */
export const FIRST_READ_BYTES = 4_096;
/** About ten of the shortest calls there are: handlers that take long make it so few. */
const SMALLEST_BYTES = 256;
export const MAX_READ_BYTES = 131_072;
/** A piece that took longer makes the next one smaller, so that it takes about half of that. */
const LONG_MS = 1;
/** At most by so much: a process that had to wait for its processor is no reason to read byte by byte. */
const MOST_SHRINKING = 8;
/** A full one that took less makes it larger: twice as much is still well below a millisecond. */
const SHORT_MS = 0.3;
const VERY_SHORT_MS = 0.1;

export class ReadPace {
  /** Bytes to handle at most. */
  bytes: number = FIRST_READ_BYTES;

  /** Memory is scarce: as at first. */
  shrink(): void {
    this.bytes = Math.min(this.bytes, FIRST_READ_BYTES);
  }

  /** A piece of that length was handled. */
  onPiece(length: number, tookMs: number): void {
    if (tookMs > LONG_MS) {
      const factor = Math.min(MOST_SHRINKING, (2 * tookMs) / LONG_MS);
      this.bytes = Math.max(SMALLEST_BYTES, Math.min(this.bytes, Math.floor(length / factor)));
    } else if (tookMs < SHORT_MS && length >= this.bytes) {
      this.bytes = Math.min(MAX_READ_BYTES, this.bytes * (tookMs < VERY_SHORT_MS ? 4 : 2));
    }
  }
}
