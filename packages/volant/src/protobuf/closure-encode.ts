/**
 * The encoder of one message type as closures, for processes that may not compile source text. Owns no rule of its own: the same
 * order, the same checks and the same parts as `emit-encode.ts`, and tests hold both to the same bytes.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { tagOf, wireTypeOf } from "./emit-encode.ts";
import { type FieldPlan, isInherited, isScalar, type MessagePlan, planOf, type ScalarName } from "./plan.ts";
import type { EncodeMessage } from "./runtime.ts";
import { checkMessage, ownValue } from "./runtime.ts";
import { writeStruct } from "./struct.ts";
import { writeUnknown } from "./unknown-fields.ts";
import { OVERFLOW, varintSize, writeVarint32 } from "./varint.ts";
import { asList, closeLength, isSet64, keysOf, keyValue, ROOM, WRITERS, type Writer } from "./write.ts";
import { isNullAllowed, missingRequired, wrongValue } from "./wrong-value.ts";

type Properties = Record<string, unknown>;
type FieldWriter = (message: Properties, bytes: Uint8Array, at: number, limit: number) => number;
/** Writes a value with its tag. */
type ValueWriter = (value: unknown, bytes: Uint8Array, at: number, limit: number) => number;
/** Finds the encoder of another type when it is needed: types may contain each other. */
type Find = (desc: DescMessage) => EncodeMessage;

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const NOT_SET = { case: undefined, value: undefined };

export function createEncoder(desc: DescMessage, find: Find): EncodeMessage {
  const plan = planOf(desc);
  const writers = plan.fields.map((field) => fieldWriter(plan, field, find));
  return (message, bytes, start, limit, field) => {
    const properties = message as Properties;
    const type = properties.$typeName;
    if (type !== plan.typeName) checkMessage(plan, type, message, field);
    let at = start;
    for (const write of writers) at = write(properties, bytes, at, limit);
    return type !== undefined && "$unknown" in properties ? writeUnknown(bytes, at, limit, properties) : at;
  };
}

function fieldWriter(plan: MessagePlan, field: FieldPlan, find: Find): FieldWriter {
  const { property, oneof } = field;
  if (oneof !== undefined) {
    const write = valueWriter(field, field.number, find);
    const read = readerOf(oneof);
    return (message, bytes, at, limit) => {
      const selected = (read(message) ?? NOT_SET) as typeof NOT_SET | { case: string; value: unknown };
      return selected.case === property ? write(selected.value, bytes, at, limit) : at;
    };
  }
  const write = contentWriter(field, find);
  const isSet = presenceOf(plan, field);
  const read = readerOf(property);
  return (message, bytes, at, limit) => {
    const value = read(message);
    if (value !== undefined && (value !== null || isNullAllowed(message, field)) && isSet(value, message)) {
      return write(value, bytes, at, limit);
    }
    return field.presence === "required" ? missingRequired(field) : at;
  };
}

function readerOf(property: string): (message: Properties) => unknown {
  return isInherited(property) ? (message) => ownValue(message, property) : (message) => message[property];
}

function contentWriter(field: FieldPlan, find: Find): ValueWriter {
  if (field.shape === "map") return mapWriter(field, find);
  if (field.shape === "singular") return valueWriter(field, field.number, find);
  if (field.packed && isScalar(field.type)) return packedWriter(field, field.type);
  const write = valueWriter(field, field.number, find);
  return (value, bytes, start, limit) => {
    const list = asList(value, field);
    let at = start;
    for (let i = 0; i < list.length; i++) at = write(list[i], bytes, at, limit);
    return at;
  };
}

/** Whether a value that is not undefined and not null is written. */
function presenceOf(plan: MessagePlan, field: FieldPlan): (value: unknown, message: Properties) => boolean {
  const { shape, type, presence, property, zero } = field;
  if (shape !== "singular" || !isScalar(type)) return () => true;
  if (presence !== "implicit") {
    if (!plan.hasDefaults) return () => true;
    return (_, message) => message.$typeName === undefined || Object.hasOwn(message, property);
  }
  if (type === "bytes") return (value) => (value as Uint8Array).length !== 0;
  if (type === "double" || type === "float") return (value) => !Object.is(value, 0);
  return type.endsWith("64") ? isSet64 : (value) => value !== zero;
}

function valueWriter(field: FieldPlan, number: number, find: Find): ValueWriter {
  const { type } = field;
  if (!isScalar(type)) {
    const content = messageContent(field, find);
    return field.delimited ? groupWriter(number, content) : lengthWriter(number, content);
  }
  const tag = tagOf(number, wireTypeOf(type));
  const room = varintSize(tag) + ROOM[type];
  const write = WRITERS[type];
  return (value, bytes, at, limit) => {
    if (limit - at < room) throw OVERFLOW;
    return write(bytes, writeVarint32(bytes, at, tag), limit, value, field);
  };
}

function messageContent(field: FieldPlan, find: Find): ValueWriter {
  const { type, message } = field;
  if (type === "struct") return (value, bytes, at, limit) => writeStruct(bytes, at, limit, value, field);
  if (type === "wrapper") return (value, bytes, at, limit) => find(message!)({ value }, bytes, at, limit, field);
  return (value, bytes, at, limit) => {
    if (typeof value !== "object" || value === null) wrongValue(field, value);
    return find(message!)(value, bytes, at, limit, field);
  };
}

function groupWriter(number: number, content: ValueWriter): ValueWriter {
  const tag = tagOf(number, START_GROUP);
  const size = varintSize(tag);
  return (value, bytes, at, limit) => {
    if (limit - at < 2 * size) throw OVERFLOW;
    const end = content(value, bytes, writeVarint32(bytes, at, tag), limit - size);
    return writeVarint32(bytes, end, tagOf(number, END_GROUP));
  };
}

function lengthWriter(number: number, content: ValueWriter): ValueWriter {
  const tag = tagOf(number, LENGTH_DELIMITED);
  const room = varintSize(tag) + 1;
  return (value, bytes, at, limit) => {
    if (limit - at < room) throw OVERFLOW;
    const start = writeVarint32(bytes, at, tag) + 1;
    return closeLength(bytes, start, content(value, bytes, start, limit), limit, 1);
  };
}

function packedWriter(field: FieldPlan, type: ScalarName): ValueWriter {
  const write: Writer = WRITERS[type];
  const room = ROOM[type];
  const packed = lengthWriter(field.number, (list, bytes, start, limit) => {
    const items = list as ArrayLike<unknown>;
    let at = start;
    for (let i = 0; i < items.length; i++) {
      if (limit - at < room) throw OVERFLOW;
      at = write(bytes, at, limit, items[i], field);
    }
    return at;
  });
  return (value, bytes, at, limit) => {
    const list = asList(value, field);
    return list.length === 0 ? at : packed(list, bytes, at, limit);
  };
}

function mapWriter(field: FieldPlan, find: Find): ValueWriter {
  const key = field.mapKey!;
  const keyTag = tagOf(1, wireTypeOf(key));
  const writeKey = WRITERS[key];
  const writeValue = valueWriter(field, 2, find);
  const entry = lengthWriter(field.number, (pair, bytes, at, limit) => {
    const [name, value] = pair as [string, unknown];
    if (limit - at < ROOM[key] + 1) throw OVERFLOW;
    bytes[at] = keyTag;
    return writeValue(value, bytes, writeKey(bytes, at + 1, limit, keyValue(name, field), field), limit);
  });
  return (value, bytes, start, limit) => {
    let at = start;
    for (const name of keysOf(value, field)) at = entry([name, (value as Properties)[name]], bytes, at, limit);
    return at;
  };
}
