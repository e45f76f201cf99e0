/**
 * Bodies that both ends can make for themselves, so that a test compares all of what arrived.
 */

/** Octets whose period is no power of two, so that a frame out of place does not look right. */
export function patternBody(bytes: number): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at++) body[at] = at % 251;
  return body;
}
