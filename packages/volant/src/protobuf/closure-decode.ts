/**
 * The decoder of one message type as closures, for processes that may not compile source text. Owns no rule of its own: the same
 * verdicts and the same messages as `emit-decode.ts`, and tests hold both to that.
 */
import { create, type DescMessage, type UnknownField } from "@bufbuild/protobuf";
import { type FieldPlan, isScalar, type MessagePlan, planOf } from "./plan.ts";
import {
  MAX_DEPTH,
  readerOf,
  setProto,
  skipValue,
  takeUnknown,
  takeUnknownEnum,
  tooDeep,
  wrongGroupEnd,
} from "./read.ts";
import { type DecodeMessage, locate } from "./runtime.ts";
import { readStruct } from "./struct.ts";
import { cursor, readCheckedTag, readLength } from "./varint.ts";

type Properties = Record<string, unknown>;
/** Reads the field at `cursor.position` into the message. */
type FieldReader = (message: Properties, bytes: Uint8Array, limit: number, depth: number, tag: number) => void;
/** Reads one value at `cursor.position`. `before` is what a message is merged into. */
type ValueReader = (bytes: Uint8Array, limit: number, depth: number, before: object | undefined) => unknown;
type Find = (desc: DescMessage) => DecodeMessage;

export function createDecoder(desc: DescMessage, find: Find): DecodeMessage {
  const plan = planOf(desc);
  const readers = new Map(plan.fields.map((field) => [field.number, fieldReader(plan, field, find)]));
  return (bytes, at, end, limit, depth, previous, group = 0) => {
    let tag = 0;
    try {
      if (depth > MAX_DEPTH) tooDeep();
      const message = (previous ?? create(desc)) as Properties;
      cursor.position = at;
      while (cursor.position < end) {
        tag = 0;
        tag = readCheckedTag(bytes, cursor.position, limit);
        if (group !== 0 && (tag & 7) === 4) {
          if (tag >>> 3 !== group) wrongGroupEnd(group, tag);
          return message;
        }
        const read = readers.get(tag >>> 3);
        if (read === undefined) keepUnknown(message, bytes, limit, depth, tag);
        else read(message, bytes, limit, depth, tag);
      }
      tag = 0;
      if (group !== 0) wrongGroupEnd(group, 0);
      return message;
    } catch (error) {
      throw locate(error, plan, tag);
    }
  };
}

function keepUnknown(message: Properties, bytes: Uint8Array, limit: number, depth: number, tag: number): void {
  const before = message.$unknown as UnknownField[] | undefined;
  const after = takeUnknown(before, bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
  if (after !== before) message.$unknown = after;
}

function fieldReader(plan: MessagePlan, field: FieldPlan, find: Find): FieldReader {
  const read = valueReader(field, find);
  if (field.shape === "list") return listReader(field, read);
  if (field.shape === "map") return mapReader(field, read);
  const { property, oneof, closedValues } = field;
  const isInherited = plan.hasDefaults && isScalar(field.type);
  return (message, bytes, limit, depth, tag) => {
    const selected = oneof === undefined ? undefined : (message[oneof] as { case?: string; value?: unknown });
    const before =
      selected === undefined ? !isInherited && message[property] : selected.case === property && selected.value;
    const value = read(bytes, limit, depth, before === false ? undefined : (before as object | undefined));
    if (closedValues !== undefined && !closedValues.has(value as number)) {
      const unknown = takeUnknownEnum(message.$unknown as UnknownField[] | undefined, tag, value as number);
      if (unknown !== undefined) message.$unknown = unknown;
    } else if (oneof === undefined) message[property] = value;
    else message[oneof] = { case: property, value };
  };
}

function valueReader(field: FieldPlan, find: Find): ValueReader {
  const { type, delimited, number, message } = field;
  if (isScalar(type)) {
    const read = readerOf(type, field);
    return (bytes, limit) => read(bytes, cursor.position, limit);
  }
  const group = delimited ? number : 0;
  return (bytes, limit, depth, before) => {
    const length = delimited ? limit - cursor.position : readLength(bytes, cursor.position, limit);
    const at = cursor.position;
    const end = at + length;
    if (type === "struct") return readStruct(bytes, at, end, limit, depth + 1, before, group);
    const read = find(message!);
    if (type === "message") return read(bytes, at, end, limit, depth + 1, before, group);
    const previous = before === undefined ? undefined : Object.assign(create(message!), { value: before });
    return (read(bytes, at, end, limit, depth + 1, previous, group) as Properties).value;
  };
}

function listReader(field: FieldPlan, read: ValueReader): FieldReader {
  const { property, type } = field;
  const canBePacked = isScalar(type) && type !== "string" && type !== "bytes";
  return (message, bytes, limit, depth, tag) => {
    const list = message[property] as unknown[];
    if (!canBePacked || (tag & 7) !== 2) {
      list.push(read(bytes, limit, depth, undefined));
      return;
    }
    const length = readLength(bytes, cursor.position, limit);
    const end = cursor.position + length;
    while (cursor.position < end) list.push(read(bytes, limit, depth, undefined));
  };
}

function mapReader(field: FieldPlan, readValue: ValueReader): FieldReader {
  const { property, mapKey, strictUtf8 } = field;
  const readKey = readerOf(mapKey!, { ...field, strictUtf8, longAsString: false });
  const emptyKey = mapKey === "string" ? "" : mapKey === "bool" ? "false" : "0";
  return (message, bytes, limit, depth) => {
    const length = readLength(bytes, cursor.position, limit);
    const end = cursor.position + length;
    let key = emptyKey;
    let value: unknown;
    while (cursor.position < end) {
      const tag = readCheckedTag(bytes, cursor.position, limit);
      if (tag >>> 3 === 1) key = String(readKey(bytes, cursor.position, limit));
      else if (tag >>> 3 === 2) value = readValue(bytes, limit, depth, value as object | undefined);
      else skipValue(bytes, cursor.position, limit, tag, MAX_DEPTH - depth);
    }
    value ??= emptyValue(field);
    const record = message[property] as Properties;
    if (key === "__proto__") setProto(record, value);
    else record[key] = value;
  };
}

function emptyValue({ type, message, zero }: FieldPlan): unknown {
  if (type === "bytes") return new Uint8Array(0);
  if (type === "struct") return {};
  return message === undefined ? zero : create(message);
}
