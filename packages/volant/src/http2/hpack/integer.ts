/**
 * Prefixed integers and the cursor that reads them. Must not know what an integer means.
 * Invariant: the cursor never passes the end of its block. RFC 7541 §5.1.
 */

/** No index, length or table size of a block that a connection accepts comes near it. */
export const MAX_INTEGER = 2 ** 28 - 1;

/** {@link MAX_INTEGER} has 28 bits, seven to an octet; more octets could only pad with zeros, which costs us time. */
const MAX_CONTINUATION_BITS = 28;

/** Octets of the longest integer {@link writeInteger} makes. */
export const MAX_INTEGER_OCTETS = 1 + MAX_CONTINUATION_BITS / 7;

/** What {@link readInteger} returns instead of a value. */
export const INTEGER_TRUNCATED = -1;
export const INTEGER_TOO_LARGE = -2;

const NO_BYTES = new Uint8Array(0);

export class ByteCursor {
  bytes: Uint8Array = NO_BYTES;
  position = 0;
  end = 0;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Lets go of the block, which is a view on a socket chunk. */
  release(): void {
    this.bytes = NO_BYTES;
  }
}

/** The integer in the low `prefixBits` of the next octet and what follows, or one of the two negative faults. */
export function readInteger(cursor: ByteCursor, prefixBits: number): number {
  const { bytes, end } = cursor;
  let position = cursor.position;
  if (position >= end) return INTEGER_TRUNCATED;
  const largestPrefix = (1 << prefixBits) - 1;
  let value = bytes[position++]! & largestPrefix;
  if (value === largestPrefix) {
    let shift = 0;
    let octet = 0;
    do {
      if (shift === MAX_CONTINUATION_BITS) return INTEGER_TOO_LARGE;
      if (position >= end) return INTEGER_TRUNCATED;
      octet = bytes[position++]!;
      value += (octet & 0x7f) << shift;
      shift += 7;
    } while (octet >= 0x80);
    if (value > MAX_INTEGER) return INTEGER_TOO_LARGE;
  }
  cursor.position = position;
  return value;
}

/** Writes `value` (at most {@link MAX_INTEGER}) under the bits of `pattern` above the prefix; returns the new offset. */
export function writeInteger(
  target: Uint8Array,
  offset: number,
  pattern: number,
  prefixBits: number,
  value: number,
): number {
  const largestPrefix = (1 << prefixBits) - 1;
  if (value < largestPrefix) {
    target[offset] = pattern | value;
    return offset + 1;
  }
  target[offset++] = pattern | largestPrefix;
  let rest = value - largestPrefix;
  while (rest >= 0x80) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}
