/**
 * Values into octets: what compiled encoders and closures call. Owns what a value of each type must be; knows no message.
 *
 * A writer of fixed room expects it to be there, as {@link ROOM} says; one of text or bytes, or of a length, checks itself and throws
 * OVERFLOW. All return where writing goes on. What is written behind that is garbage.
 */
import type { FieldPlan, ScalarName } from "./plan.ts";
import { writeText } from "./text.ts";
import { OVERFLOW, varintSize, writeVarint32, writeVarint64 } from "./varint.ts";
import { highWord, lowWord, splitDouble, splitSigned, splitUnsigned, wordOfFloat } from "./words.ts";
import { wrongKey, wrongList, wrongMap, wrongValue } from "./wrong-value.ts";

/** Most octets that a value takes without its tag; 0 where its writer checks. */
export const ROOM: Readonly<Record<ScalarName, number>> = {
  double: 8,
  float: 4,
  int32: 10,
  uint32: 5,
  sint32: 5,
  fixed32: 4,
  sfixed32: 4,
  int64: 10,
  uint64: 10,
  sint64: 10,
  fixed64: 8,
  sfixed64: 8,
  bool: 1,
  string: 0,
  bytes: 0,
};

const DECIMAL = /^-?\d+$/;
/** Below this a loop costs less than a call into native code. */
const COPY_BY_OCTET = 24;

export type Writer = (bytes: Uint8Array, at: number, limit: number, value: unknown, field: FieldPlan) => number;

export const writeInt32: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number" || (value | 0) !== value) wrongValue(field, value);
  if (value < 0) return writeVarint64(bytes, at, value, -1);
  if (value > 127) return writeVarint32(bytes, at, value);
  bytes[at] = value;
  return at + 1;
};

export const writeUint32: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number" || value >>> 0 !== value) wrongValue(field, value);
  if (value > 127) return writeVarint32(bytes, at, value);
  bytes[at] = value;
  return at + 1;
};

export const writeSint32: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number" || (value | 0) !== value) wrongValue(field, value);
  return writeVarint32(bytes, at, ((value << 1) ^ (value >> 31)) >>> 0);
};

export const writeFixed32: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number" || value >>> 0 !== value) wrongValue(field, value);
  return writeWord(bytes, at, value);
};

export const writeSfixed32: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number" || (value | 0) !== value) wrongValue(field, value);
  return writeWord(bytes, at, value);
};

export const writeFloat: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number") wrongValue(field, value);
  if (!Number.isFinite(Math.fround(value)) && Number.isFinite(value)) wrongValue(field, value);
  return writeWord(bytes, at, wordOfFloat(value));
};

export const writeDouble: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "number") wrongValue(field, value);
  splitDouble(value);
  return writeWord(bytes, writeWord(bytes, at, lowWord()), highWord());
};

export const writeBool: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "boolean") wrongValue(field, value);
  bytes[at] = value ? 1 : 0;
  return at + 1;
};

export const writeInt64: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "bigint" || !splitSigned(value)) splitOther(value, field, splitSigned);
  return writeVarint64(bytes, at, lowWord(), highWord());
};

export const writeUint64: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "bigint" || !splitUnsigned(value)) splitOther(value, field, splitUnsigned);
  return writeVarint64(bytes, at, lowWord(), highWord());
};

export const writeSint64: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "bigint" || !splitSigned(value)) splitOther(value, field, splitSigned);
  const low = lowWord();
  const high = highWord();
  const sign = high >> 31;
  return writeVarint64(bytes, at, (low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
};

export const writeSfixed64: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "bigint" || !splitSigned(value)) splitOther(value, field, splitSigned);
  return writeWord(bytes, writeWord(bytes, at, lowWord()), highWord());
};

export const writeFixed64: Writer = (bytes, at, _limit, value, field) => {
  if (typeof value !== "bigint" || !splitUnsigned(value)) splitOther(value, field, splitUnsigned);
  return writeWord(bytes, writeWord(bytes, at, lowWord()), highWord());
};

export const writeString: Writer = (bytes, at, limit, value, field) => {
  if (typeof value !== "string") wrongValue(field, value);
  const end = writeText(bytes, at, limit, value);
  if (end < 0) wrongValue(field, value);
  return end;
};

export const writeBytes: Writer = (bytes, at, limit, value, field) => {
  const octets = asOctets(value, field);
  const { length } = octets;
  const start = at + varintSize(length);
  if (limit - start < length) throw OVERFLOW;
  writeVarint32(bytes, at, length);
  if (length > COPY_BY_OCTET) bytes.set(octets, start);
  else for (let i = 0; i < length; i++) bytes[start + i] = octets[i]!;
  return start + length;
};

export const WRITERS: Readonly<Record<ScalarName, Writer>> = {
  double: writeDouble,
  float: writeFloat,
  int32: writeInt32,
  uint32: writeUint32,
  sint32: writeSint32,
  fixed32: writeFixed32,
  sfixed32: writeSfixed32,
  int64: writeInt64,
  uint64: writeUint64,
  sint64: writeSint64,
  fixed64: writeFixed64,
  sfixed64: writeSfixed64,
  bool: writeBool,
  string: writeString,
  bytes: writeBytes,
};

/**
 * The length in front of `bytes[start, end)`, for which `reserved` octets were left. Moves the content where the length takes more or
 * fewer. Returns the end of the content.
 */
export function closeLength(bytes: Uint8Array, start: number, end: number, limit: number, reserved: number): number {
  const length = end - start;
  const size = varintSize(length);
  if (size !== reserved) {
    if (limit - end < size - reserved) throw OVERFLOW;
    bytes.copyWithin(start - reserved + size, start, end);
  }
  return writeVarint32(bytes, start - reserved, length) + length;
}

/** A list as something with `length` and indexes. */
export function asList(value: unknown, field: FieldPlan): ArrayLike<unknown> {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value) && "length" in value) return value as unknown as ArrayLike<unknown>;
  return wrongList(field, value);
}

export function keysOf(value: unknown, field: FieldPlan): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrongMap(field, value);
  const keys = Object.keys(value);
  if (keys.length === 0 && isMap(value)) wrongMap(field, value);
  return keys;
}

/** A Map of any realm. */
function isMap(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Map]";
}

/** A key, which is always a string in JavaScript, as the value that its writer takes. */
export function keyValue(key: string, field: FieldPlan): unknown {
  switch (field.mapKey) {
    case "string":
      return key;
    case "bool":
      if (key !== "true" && key !== "false") wrongKey(field, key);
      return key === "true";
    default:
      return integerKey(key, field);
  }
}

function integerKey(key: string, field: FieldPlan): number | bigint {
  if (!DECIMAL.test(key)) wrongKey(field, key);
  switch (field.mapKey) {
    case "int64":
    case "sint64":
    case "sfixed64": {
      const value = BigInt(key);
      return splitSigned(value) ? value : wrongKey(field, key);
    }
    case "uint64":
    case "fixed64": {
      const value = BigInt(key);
      return splitUnsigned(value) ? value : wrongKey(field, key);
    }
    case "uint32":
    case "fixed32": {
      const value = Number(key);
      return value >>> 0 === value ? value : wrongKey(field, key);
    }
    default: {
      const value = Number(key);
      return (value | 0) === value ? value : wrongKey(field, key);
    }
  }
}

/** Whether a 64-bit integer of implicit presence is set; protobuf-es takes 0 and "0" for zero as well. */
export function isSet64(value: unknown): boolean {
  return value !== 0n && value !== 0 && value !== "0";
}

function writeWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
  return at + 4;
}

function splitOther(value: unknown, field: FieldPlan, split: (value: bigint) => boolean): void {
  const isInteger =
    typeof value === "number" ? Number.isInteger(value) : typeof value === "string" && DECIMAL.test(value);
  if (!isInteger || !split(BigInt(value as number | string))) wrongValue(field, value);
}

function asOctets(value: unknown, field: FieldPlan): ArrayLike<number> {
  if (value instanceof Uint8Array) return value;
  // What `create()` makes of an array of numbers. Another realm's Uint8Array is one too.
  if (Array.isArray(value)) return Uint8Array.from(value as number[]);
  if (ArrayBuffer.isView(value) && value[Symbol.toStringTag as never] === "Uint8Array") return value as Uint8Array;
  return wrongValue(field, value);
}
