/**
 * The decoder of one message type as closures, for processes that may not compile source text. Owns no rule of its own: the same
 * verdicts and the same messages as `emit-decode.ts`, and tests hold both to that.
 */
import { create, type DescMessage } from "@bufbuild/protobuf";
import { LARGE_MAP_ENTRIES, prepareLargeMap } from "./large-map.ts";
import { type FieldPlan, isInherited, isScalar, type MessagePlan, planOf } from "./plan.ts";
import { readerOf, setProto } from "./read.ts";
import { type DecodeMessage, locate } from "./runtime.ts";
import { MAX_DEPTH, skipValue, tooDeep, wrongGroupEnd } from "./skip.ts";
import { readStruct } from "./struct.ts";
import { attachHeld, type HeldFields, takeHeld, takeUnknown, takeUnknownEnum } from "./unknown-fields.ts";
import { BYTES_VALUES, countValues } from "./value-budget.ts";
import { cursor, readCheckedTag, readLength } from "./varint.ts";

type Properties = Record<string, unknown>;
/** Reads the field at `cursor.position` into the message, or among those that are kept as unknown. */
type FieldReader = (
  message: Properties,
  bytes: Uint8Array,
  limit: number,
  depth: number,
  tag: number,
  unknown: HeldFields | undefined,
) => HeldFields | undefined;
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
      countValues(plan.values);
      const message = (previous ?? create(desc)) as Properties;
      let unknown = takeHeld(message);
      cursor.position = at;
      while (cursor.position < end) {
        tag = 0;
        tag = readCheckedTag(bytes, cursor.position, limit);
        if (group !== 0 && (tag & 7) === 4) {
          if (tag >>> 3 !== group) wrongGroupEnd(group, tag);
          return withUnknown(message, unknown);
        }
        const read = readers.get(tag >>> 3);
        unknown =
          read === undefined
            ? takeUnknown(unknown, bytes, cursor.position, limit, tag, MAX_DEPTH - depth, plan.extensions)
            : read(message, bytes, limit, depth, tag, unknown);
      }
      tag = 0;
      if (group !== 0) wrongGroupEnd(group, 0);
      return withUnknown(message, unknown);
    } catch (error) {
      throw locate(error, plan, tag);
    }
  };
}

function withUnknown(message: Properties, held: HeldFields | undefined): Properties {
  if (held !== undefined) attachHeld(message, held);
  return message;
}

function fieldReader(plan: MessagePlan, field: FieldPlan, find: Find): FieldReader {
  const read = valueReader(field, find);
  if (field.shape === "list") return listReader(field, read);
  if (field.shape === "map") return mapReader(field, read, find);
  const { property, oneof, closedValues } = field;
  const isOwnOnly = plan.hasDefaults || isInherited(property);
  return (message, bytes, limit, depth, tag, unknown) => {
    const value = read(bytes, limit, depth, valueBefore(message, field, isOwnOnly));
    if (closedValues !== undefined && !closedValues.has(value as number)) {
      return takeUnknownEnum(unknown, tag, value as number);
    }
    if (oneof === undefined) message[property] = value;
    else message[oneof] = { case: property, value };
    return unknown;
  };
}

/** What another value of the field is merged into. */
function valueBefore(message: Properties, { property, oneof }: FieldPlan, isOwnOnly: boolean): object | undefined {
  if (oneof !== undefined) {
    const selected = message[oneof] as { readonly case?: string; readonly value?: object };
    return selected.case === property ? selected.value : undefined;
  }
  return isOwnOnly && !Object.hasOwn(message, property) ? undefined : (message[property] as object | undefined);
}

function valueReader(field: FieldPlan, find: Find): ValueReader {
  const { type, delimited, number, message } = field;
  if (isScalar(type)) {
    const read = readerOf(type, field);
    if (type !== "bytes") return (bytes, limit) => read(bytes, cursor.position, limit);
    return (bytes, limit) => {
      countValues(BYTES_VALUES);
      return read(bytes, cursor.position, limit);
    };
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
  const values = type === "string" ? 1 : 0;
  return (message, bytes, limit, depth, tag, unknown) => {
    const list = message[property] as unknown[];
    if (!canBePacked || (tag & 7) !== 2) {
      countValues(values);
      list.push(read(bytes, limit, depth, undefined));
      return unknown;
    }
    const length = readLength(bytes, cursor.position, limit);
    const end = cursor.position + length;
    while (cursor.position < end) list.push(read(bytes, limit, depth, undefined));
    return unknown;
  };
}

function mapReader(field: FieldPlan, readValue: ValueReader, find: Find): FieldReader {
  const { property, mapKey, strictUtf8 } = field;
  const readKey = readerOf(mapKey!, { ...field, strictUtf8, longAsString: false });
  const emptyKey = mapKey === "string" ? "" : mapKey === "bool" ? "false" : "0";
  const sizes = new WeakMap<object, number>();
  return (message, bytes, limit, depth, _tag, unknown) => {
    countValues(1);
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
    value ??= emptyValue(field, bytes, limit, depth, find);
    const record = message[property] as Properties;
    if (key === "__proto__") setProto(record, value);
    else record[key] = value;
    const entries = (sizes.get(record) ?? 0) + 1;
    sizes.set(record, entries);
    if (entries === LARGE_MAP_ENTRIES) prepareLargeMap(record);
    return unknown;
  };
}

function emptyValue(
  { type, message, zero }: FieldPlan,
  bytes: Uint8Array,
  limit: number,
  depth: number,
  find: Find,
): unknown {
  if (type === "bytes") return new Uint8Array(0);
  if (type === "struct") return {};
  const at = cursor.position;
  return message === undefined ? zero : find(message)(bytes, at, at, limit, depth, undefined);
}
