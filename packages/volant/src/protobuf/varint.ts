/**
 * Varints and tags as octets, in both directions. Owns the rules of what a varint may look like; knows no field.
 *
 * What is accepted is what protobuf-es accepts: up to ten octets for any integer, of which a 32-bit one takes the low bits; a
 * tag has at most 32 bits.
 *
 * Invariant: nothing at or behind `limit` is read or written.
 */
import { DecodeError } from "./codec-error.ts";

/** Thrown, without a stack, where a message does not fit. It never leaves the codec. */
export const OVERFLOW: unique symbol = Symbol("no room for the message");

const MAX_VARINT_BYTES = 10;
/** Bits of the fifth octet that still belong to a 32-bit integer. */
const TOP_BITS = 0x0f;

/**
 * Where reading goes on, and the words of the last 64-bit varint: results that a function cannot return beside its value. One
 * object for the process is enough, since decoding runs no code of others. What a caller asked for stands here for the same reason.
 */
export const cursor = {
  position: 0,
  low: 0,
  high: 0,
  /** Bytes fields are views of the input. */
  views: false,
  keepUnknown: true,
  /** What the message may still decode to: see `value-budget.ts`. */
  valuesLeft: 0,
  valuesAllowed: 0,
};

export function truncated(): never {
  throw new DecodeError("the bytes end inside of it");
}

/** An unsigned 32-bit integer: the low bits of a varint of up to ten octets. Sets {@link cursor}. */
export function readVarint32(bytes: Uint8Array, at: number, limit: number): number {
  if (limit - at < 5) return readAnyVarint32(bytes, at, limit);
  let octet = bytes[at]!;
  let result = octet & 0x7f;
  if (octet < 128) {
    cursor.position = at + 1;
    return result;
  }
  octet = bytes[at + 1]!;
  result |= (octet & 0x7f) << 7;
  if (octet < 128) {
    cursor.position = at + 2;
    return result;
  }
  octet = bytes[at + 2]!;
  result |= (octet & 0x7f) << 14;
  if (octet < 128) {
    cursor.position = at + 3;
    return result;
  }
  octet = bytes[at + 3]!;
  result |= (octet & 0x7f) << 21;
  if (octet < 128) {
    cursor.position = at + 4;
    return result;
  }
  octet = bytes[at + 4]!;
  if (octet > 127) return readAnyVarint32(bytes, at, limit);
  cursor.position = at + 5;
  return (result | ((octet & TOP_BITS) << 28)) >>> 0;
}

/** Of any length, up to the last octet there is. */
function readAnyVarint32(bytes: Uint8Array, at: number, limit: number): number {
  readVarint64(bytes, at, limit);
  return cursor.low >>> 0;
}

/** Sets the words and the position of {@link cursor}. */
export function readVarint64(bytes: Uint8Array, at: number, limit: number): void {
  let low = 0;
  let high = 0;
  let position = at;
  const last = Math.min(limit, at + MAX_VARINT_BYTES);
  let octet = 128;
  for (let shift = 0; shift < 28 && position < last; shift += 7) {
    octet = bytes[position++]!;
    low |= (octet & 0x7f) << shift;
    if (octet < 128) break;
  }
  if (octet > 127 && position < last) {
    octet = bytes[position++]!;
    low |= (octet & TOP_BITS) << 28;
    high = (octet & 0x70) >> 4;
    for (let shift = 3; octet > 127 && position < last; shift += 7) {
      octet = bytes[position++]!;
      high |= (octet & 0x7f) << shift;
    }
  }
  if (octet > 127) failVarint(at, limit);
  cursor.low = low;
  cursor.high = high;
  cursor.position = position;
}

function failVarint(at: number, limit: number): never {
  if (limit - at < MAX_VARINT_BYTES) truncated();
  throw new DecodeError("a varint has more than ten octets");
}

/** A tag of more than one octet. Sets {@link cursor}. */
export function readTag(bytes: Uint8Array, at: number, limit: number): number {
  const tag = readVarint32(bytes, at, limit);
  const length = cursor.position - at;
  if (length > 5 || (length === 5 && bytes[at + 4]! > TOP_BITS)) {
    throw new DecodeError("a tag has more than 32 bits");
  }
  return tag;
}

/** Any tag, checked. Sets {@link cursor}. */
export function readCheckedTag(bytes: Uint8Array, at: number, limit: number): number {
  if (at >= limit) truncated();
  let tag = bytes[at]!;
  if (tag > 127) tag = readTag(bytes, at, limit);
  else cursor.position = at + 1;
  if (tag < 8 || (tag & 7) > 5) illegalTag(tag);
  return tag;
}

export function illegalTag(tag: number): never {
  throw new DecodeError(`field number ${tag >>> 3} with wire type ${tag & 7} is no field`);
}

/** A length that is within the bytes. Sets {@link cursor}. */
export function readLength(bytes: Uint8Array, at: number, limit: number): number {
  const length = readVarint32(bytes, at, limit);
  if (length > limit - cursor.position) tooLong(length, limit - cursor.position);
  return length;
}

export function tooLong(length: number, left: number): never {
  throw new DecodeError(`a length of ${length} octets where ${left} are left`);
}

/** `value` is an unsigned 32-bit integer; at most five octets. */
export function writeVarint32(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest > 127) {
    bytes[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

/** At most ten octets. */
export function writeVarint64(bytes: Uint8Array, at: number, lowWord: number, highWord: number): number {
  let low = lowWord;
  let high = highWord;
  let position = at;
  while (high !== 0 || low >>> 0 > 127) {
    bytes[position++] = (low & 0x7f) | 0x80;
    low = (low >>> 7) | (high << 25);
    high >>>= 7;
  }
  bytes[position++] = low;
  return position;
}

/** Octets of `value` as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
