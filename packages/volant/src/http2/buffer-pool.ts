/**
 * A pool of output buffers for the whole process. Buys: a busy connection allocates nothing a turn, an idle one owns
 * nothing. Two sizes: small for a turn with a few answers, large for bulk. A buffer comes back only when the socket took
 * every octet of it.
 */

export const SMALL_BUFFER_BYTES = 16_384;
export const LARGE_BUFFER_BYTES = 131_072;

/** Kept for reuse; more than that goes back to the heap. 2 MiB and 4 MiB. */
const MAX_SMALL_KEPT = 128;
const MAX_LARGE_KEPT = 32;

const small: Buffer[] = [];
const large: Buffer[] = [];

/** A buffer of at least `bytes`, from the pool where one of that size is kept. */
export function acquireBuffer(bytes: number): Buffer {
  if (bytes <= SMALL_BUFFER_BYTES) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BUFFER_BYTES);
  if (bytes <= LARGE_BUFFER_BYTES) return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BUFFER_BYTES);
  return Buffer.allocUnsafeSlow(bytes);
}

/** The caller gives the whole buffer back and keeps no view of it. */
export function releaseBuffer(buffer: Buffer): void {
  if (buffer.length === SMALL_BUFFER_BYTES) {
    if (small.length < MAX_SMALL_KEPT) small.push(buffer);
  } else if (buffer.length === LARGE_BUFFER_BYTES) {
    if (large.length < MAX_LARGE_KEPT) large.push(buffer);
  }
}
