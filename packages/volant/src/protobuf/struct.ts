/**
 * google.protobuf.Struct, Value and ListValue as the JSON that protobuf-es has in their place: read and written without the messages
 * in between.
 *
 * Merging follows the messages: a Struct that comes twice has the entries of both, a list inside of one value grows, and a key that
 * comes again has its last value. Spec: google/protobuf/struct.proto.
 */
import { EncodeError } from "./codec-error.ts";
import { LARGE_MAP_ENTRIES, prepareLargeMap } from "./large-map.ts";
import { readKey } from "./map-keys.ts";
import type { FieldPlan } from "./plan.ts";
import { readBool, readDouble, setProto } from "./read.ts";
import { MAX_DEPTH, skipValue, tooDeep, wrongGroupEnd } from "./skip.ts";
import { readText, writeText } from "./text.ts";
import { countValues } from "./value-budget.ts";
import { cursor, OVERFLOW, readCheckedTag, readLength, readVarint32 } from "./varint.ts";
import { closeLength, writeDouble } from "./write.ts";
import { describe, wrongValue } from "./wrong-value.ts";

type Json = null | boolean | number | string | Json[] | JsonObject;
type JsonObject = { [key: string]: Json };

/** Tags of length-delimited fields, by number. */
const FIELD_1 = 10;
const FIELD_2 = 18;

const VALUE_NULL = 8;
const VALUE_NUMBER = 17;
const VALUE_STRING = 26;
const VALUE_BOOL = 32;
const VALUE_STRUCT = 42;
const VALUE_LIST = 50;

/** `group` is the number of the field where it is written as a group, otherwise 0. */
export function readStruct(
  bytes: Uint8Array,
  at: number,
  end: number,
  limit: number,
  depth: number,
  previous: unknown,
  group = 0,
): JsonObject {
  if (depth > MAX_DEPTH) tooDeep();
  countValues(1);
  const object = (previous ?? {}) as JsonObject;
  let entries = previous === undefined ? 0 : LARGE_MAP_ENTRIES - 1;
  cursor.position = at;
  while (cursor.position < end) {
    const tag = readCheckedTag(bytes, cursor.position, limit);
    if (group !== 0 && (tag & 7) === 4) {
      if (tag >>> 3 !== group) wrongGroupEnd(group, tag);
      return object;
    }
    if (tag >>> 3 === 1) {
      readEntry(bytes, limit, depth, object);
      if (++entries === LARGE_MAP_ENTRIES) prepareLargeMap(object);
    } else skipValue(bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
  }
  if (group !== 0) wrongGroupEnd(group, 0);
  return object;
}

function readEntry(bytes: Uint8Array, limit: number, depth: number, object: JsonObject): void {
  countValues(1);
  const end = enter(bytes, limit);
  let key = "";
  let value: Json = null;
  while (cursor.position < end) {
    const tag = readCheckedTag(bytes, cursor.position, limit);
    switch (tag >>> 3) {
      case 1:
        key = takeKey(bytes, limit);
        break;
      case 2:
        value = readValue(bytes, limit, depth + 1, value);
        break;
      default:
        skipValue(bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
    }
  }
  if (key === "__proto__") setProto(object, value);
  else object[key] = value;
}

function readValue(bytes: Uint8Array, limit: number, depth: number, previous: Json): Json {
  const end = enter(bytes, limit);
  if (depth > MAX_DEPTH) tooDeep();
  let value = previous;
  while (cursor.position < end) {
    const tag = readCheckedTag(bytes, cursor.position, limit);
    switch (tag >>> 3) {
      case VALUE_NULL >>> 3:
        readVarint32(bytes, cursor.position, limit);
        value = null;
        break;
      case VALUE_NUMBER >>> 3:
        value = readDouble(bytes, cursor.position, limit);
        break;
      case VALUE_STRING >>> 3:
        countValues(1);
        value = takeText(bytes, limit);
        break;
      case VALUE_BOOL >>> 3:
        value = readBool(bytes, cursor.position, limit);
        break;
      case VALUE_STRUCT >>> 3: {
        const inner = enter(bytes, limit);
        value = readStruct(bytes, cursor.position, inner, limit, depth + 1, isObject(value) ? value : undefined);
        break;
      }
      case VALUE_LIST >>> 3:
        value = readList(bytes, limit, depth + 1, Array.isArray(value) ? value : []);
        break;
      default:
        skipValue(bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
    }
  }
  return value;
}

function readList(bytes: Uint8Array, limit: number, depth: number, list: Json[]): Json[] {
  const end = enter(bytes, limit);
  if (depth > MAX_DEPTH) tooDeep();
  countValues(1);
  while (cursor.position < end) {
    const tag = readCheckedTag(bytes, cursor.position, limit);
    if (tag >>> 3 === 1) list.push(readValue(bytes, limit, depth + 1, null));
    else skipValue(bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
  }
  return list;
}

/** Takes a length; the result is where what it measures ends. */
function enter(bytes: Uint8Array, limit: number): number {
  const length = readLength(bytes, cursor.position, limit);
  return cursor.position + length;
}

function takeKey(bytes: Uint8Array, limit: number): string {
  const end = enter(bytes, limit);
  const key = readKey(bytes, cursor.position, end - cursor.position);
  cursor.position = end;
  return key;
}

function takeText(bytes: Uint8Array, limit: number): string {
  const end = enter(bytes, limit);
  const text = readText(bytes, cursor.position, end - cursor.position);
  cursor.position = end;
  return text;
}

/** Writes the fields of a Struct, without a length. */
export function writeStruct(bytes: Uint8Array, at: number, limit: number, value: unknown, field: FieldPlan): number {
  if (!isObject(value)) wrongValue(field, value);
  let position = at;
  for (const key of Object.keys(value)) {
    if (limit - position < 4) throw OVERFLOW;
    const start = position + 2;
    const valueAt = writeJsonText(bytes, start + 1, limit, key, field);
    if (limit - valueAt < 2) throw OVERFLOW;
    bytes[position] = FIELD_1;
    bytes[start] = FIELD_1;
    bytes[valueAt] = FIELD_2;
    const end = writeValue(bytes, valueAt + 2, limit, value[key], field);
    position = closeLength(bytes, start, closeLength(bytes, valueAt + 2, end, limit, 1), limit, 1);
  }
  return position;
}

function writeValue(bytes: Uint8Array, at: number, limit: number, value: unknown, field: FieldPlan): number {
  if (value === undefined) return at;
  if (limit - at < 9) throw OVERFLOW;
  switch (typeof value) {
    case "number":
      bytes[at] = VALUE_NUMBER;
      return writeDouble(bytes, at + 1, limit, value, field);
    case "string":
      bytes[at] = VALUE_STRING;
      return writeJsonText(bytes, at + 1, limit, value, field);
    case "boolean":
      bytes[at] = VALUE_BOOL;
      bytes[at + 1] = value ? 1 : 0;
      return at + 2;
    case "object":
      return writeNested(bytes, at, limit, value, field);
    default:
      throw new EncodeError(field.typeName, field.name, `a JSON value cannot be ${describe(value)}`);
  }
}

function writeNested(bytes: Uint8Array, at: number, limit: number, value: object | null, field: FieldPlan): number {
  if (value === null) {
    bytes[at] = VALUE_NULL;
    bytes[at + 1] = 0;
    return at + 2;
  }
  const isList = Array.isArray(value);
  bytes[at] = isList ? VALUE_LIST : VALUE_STRUCT;
  const start = at + 2;
  const end = isList ? writeList(bytes, start, limit, value, field) : writeStruct(bytes, start, limit, value, field);
  return closeLength(bytes, start, end, limit, 1);
}

function writeList(bytes: Uint8Array, at: number, limit: number, list: readonly unknown[], field: FieldPlan): number {
  let position = at;
  for (const item of list) {
    if (limit - position < 2) throw OVERFLOW;
    bytes[position] = FIELD_1;
    const start = position + 2;
    position = closeLength(bytes, start, writeValue(bytes, start, limit, item, field), limit, 1);
  }
  return position;
}

function writeJsonText(bytes: Uint8Array, at: number, limit: number, text: string, field: FieldPlan): number {
  const end = writeText(bytes, at, limit, text);
  if (end < 0) throw new EncodeError(field.typeName, field.name, `${describe(text)} has a lone surrogate`);
  return end;
}

function isObject(value: unknown): value is Record<string, Json> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
