/**
 * The nine octets in front of every payload: 24-bit length, type, flags, 31-bit stream id. RFC 9113 §4.1.
 */

export function writeFrameHeader(
  target: Buffer,
  offset: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  target[offset] = length >>> 16;
  target[offset + 1] = length >>> 8;
  target[offset + 2] = length;
  target[offset + 3] = type;
  target[offset + 4] = flags;
  return writeUint32(target, offset + 5, streamId);
}

export function readPayloadLength(bytes: Buffer, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
}

/** RFC 9113 §4.1: the reserved bit is ignored on receipt. */
export function readStreamId(bytes: Buffer, offset: number): number {
  return readUint31(bytes, offset);
}

export function readUint31(bytes: Buffer, offset: number): number {
  return ((bytes[offset]! & 0x7f) << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

export function readUint32(bytes: Buffer, offset: number): number {
  return readUint31(bytes, offset) + (bytes[offset]! & 0x80 ? 0x8000_0000 : 0);
}

export function writeUint32(target: Buffer, offset: number, value: number): number {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
  return offset + 4;
}
