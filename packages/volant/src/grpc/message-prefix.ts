/**
 * The five bytes before every message: a flag and the length, big-endian.
 *
 * Must not know: what the message is and which encoding the flag refers to.
 * Spec: gRPC PROTOCOL-HTTP2 "Length-Prefixed-Message".
 */

export const PREFIX_BYTES = 5;

export const FLAG_IDENTITY = 0;

/** The message is compressed as `grpc-encoding` says. */
export const FLAG_COMPRESSED = 1;

/** The largest length that the prefix can declare. */
export const MAX_MESSAGE_LENGTH = 0xffff_ffff;

/** Writes the prefix of a message of `length` bytes; returns the offset behind it. */
export function writePrefix(target: Buffer, offset: number, compressed: boolean, length: number): number {
  target[offset] = compressed ? FLAG_COMPRESSED : FLAG_IDENTITY;
  target[offset + 1] = length >>> 24;
  target[offset + 2] = length >>> 16;
  target[offset + 3] = length >>> 8;
  target[offset + 4] = length;
  return offset + PREFIX_BYTES;
}
