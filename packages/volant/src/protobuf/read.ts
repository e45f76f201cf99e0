/**
 * Octets into values: what compiled decoders and closures call beside `varint.ts`. Knows no message.
 *
 * Invariant: nothing at or behind `limit` is read. What a value keeps is a copy, unless views were asked for.
 */
import type { FieldPlan, ScalarName } from "./plan.ts";
import { readLenientText, readText } from "./text.ts";
import { cursor, readLength, readVarint32, readVarint64, truncated } from "./varint.ts";
import { floatOf, joinDouble, joinSigned, joinUnsigned } from "./words.ts";

const COPY_BY_OCTET = 24;
const CLEAN_BYTES = 1_024;

/** Sets {@link cursor}, as all readers here do. */
export type Reader = (bytes: Uint8Array, at: number, limit: number) => unknown;

/** Of one octet: a bigint is an object, and most of these come again. */
const SMALL: readonly bigint[] = Array.from({ length: 128 }, (_, value) => BigInt(value));

export function readInt64(bytes: Uint8Array, at: number, limit: number): bigint {
  if (at < limit && bytes[at]! < 128) return takeSmall(bytes, at);
  readVarint64(bytes, at, limit);
  return joinSigned(cursor.low, cursor.high);
}

const SMALL_TEXTS: readonly string[] = SMALL.map(String);

/** For `jstype = JS_STRING`. */
export function longText(value: bigint): string {
  return value >= 0n && value < 128n ? SMALL_TEXTS[Number(value)]! : String(value);
}

function takeSmall(bytes: Uint8Array, at: number): bigint {
  cursor.position = at + 1;
  return SMALL[bytes[at]!]!;
}

export function readUint64(bytes: Uint8Array, at: number, limit: number): bigint {
  if (at < limit && bytes[at]! < 128) return takeSmall(bytes, at);
  readVarint64(bytes, at, limit);
  return joinUnsigned(cursor.low, cursor.high);
}

export function readSint64(bytes: Uint8Array, at: number, limit: number): bigint {
  readVarint64(bytes, at, limit);
  const { low, high } = cursor;
  const sign = -(low & 1);
  return joinSigned(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign);
}

export function readFixed64(bytes: Uint8Array, at: number, limit: number): bigint {
  step(at, 8, limit);
  return joinUnsigned(wordAt(bytes, at), wordAt(bytes, at + 4));
}

export function readSfixed64(bytes: Uint8Array, at: number, limit: number): bigint {
  step(at, 8, limit);
  return joinSigned(wordAt(bytes, at), wordAt(bytes, at + 4));
}

export function readDouble(bytes: Uint8Array, at: number, limit: number): number {
  step(at, 8, limit);
  return joinDouble(wordAt(bytes, at), wordAt(bytes, at + 4));
}

export function readFloat(bytes: Uint8Array, at: number, limit: number): number {
  step(at, 4, limit);
  return floatOf(wordAt(bytes, at));
}

export function readFixed32(bytes: Uint8Array, at: number, limit: number): number {
  step(at, 4, limit);
  return wordAt(bytes, at) >>> 0;
}

export function readSfixed32(bytes: Uint8Array, at: number, limit: number): number {
  step(at, 4, limit);
  return wordAt(bytes, at);
}

function step(at: number, octets: number, limit: number): void {
  if (limit - at < octets) truncated();
  cursor.position = at + octets;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function readInt32(bytes: Uint8Array, at: number, limit: number): number {
  return readVarint32(bytes, at, limit) | 0;
}

export function readSint32(bytes: Uint8Array, at: number, limit: number): number {
  const value = readVarint32(bytes, at, limit);
  return (value >>> 1) ^ -(value & 1);
}

export function readBool(bytes: Uint8Array, at: number, limit: number): boolean {
  readVarint64(bytes, at, limit);
  return (cursor.low | cursor.high) !== 0;
}

/** Its own memory, or a view where the caller of the codec asked for that. */
export function takeBytes(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (cursor.views) return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
  if (length > CLEAN_BYTES) return copyLarge(bytes, at, length);
  const copy = new Uint8Array(length);
  if (length > COPY_BY_OCTET) copy.set(bytes.subarray(at, at + length));
  else for (let i = 0; i < length; i++) copy[i] = bytes[at + i]!;
  return copy;
}

/** Without setting the memory to zero first. */
function copyLarge(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  copy.set(bytes.subarray(at, at + length));
  return copy;
}

function readBytes(bytes: Uint8Array, at: number, limit: number): Uint8Array {
  const length = readLength(bytes, at, limit);
  const start = cursor.position;
  cursor.position = start + length;
  return takeBytes(bytes, start, length);
}

function readString(bytes: Uint8Array, at: number, limit: number): string {
  const length = readLength(bytes, at, limit);
  const start = cursor.position;
  cursor.position = start + length;
  return readText(bytes, start, length);
}

function readLenientString(bytes: Uint8Array, at: number, limit: number): string {
  const length = readLength(bytes, at, limit);
  const start = cursor.position;
  cursor.position = start + length;
  return readLenientText(bytes, start, length);
}

export const READERS: Readonly<Record<ScalarName, Reader>> = {
  double: readDouble,
  float: readFloat,
  int32: readInt32,
  uint32: readVarint32,
  sint32: readSint32,
  fixed32: readFixed32,
  sfixed32: readSfixed32,
  int64: readInt64,
  uint64: readUint64,
  sint64: readSint64,
  fixed64: readFixed64,
  sfixed64: readSfixed64,
  bool: readBool,
  string: readString,
  bytes: readBytes,
};

/** Reads a value of the field's type, or of its keys, in the form that a message holds. */
export function readerOf(type: ScalarName, { strictUtf8, longAsString }: FieldPlan): Reader {
  if (type === "string" && !strictUtf8) return readLenientString;
  const read = READERS[type];
  return longAsString && type.endsWith("64") ? (bytes, at, limit) => longText(read(bytes, at, limit) as bigint) : read;
}

/** Keys like this one must be the object's own. */
export function setProto(record: object, value: unknown): void {
  Object.defineProperty(record, "__proto__", { value, writable: true, enumerable: true, configurable: true });
}
