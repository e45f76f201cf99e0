/**
 * Source text of the encoder of one message type. Owns what that text is; `write.ts` has the parts that it calls.
 *
 *   encode(message, bytes, at, limit, field) → where it ended
 *
 * `field` is the one that holds the message, for errors. A tag is written after its value, because the writer of the value finds out
 * whether there is room. In front of a nested message as many octets are left as the last length at that place took: the next one
 * probably takes the same, and then nothing moves.
 *
 * Invariants: fields in ascending order and unknown ones behind them, as protobuf-es writes; nothing at or behind `limit`.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { type FieldPlan, isInherited, isScalar, type MessagePlan, planOf, type ScalarName } from "./plan.ts";
import { indent, literal, type Unit } from "./unit.ts";
import { varintSize } from "./varint.ts";
import { ROOM } from "./write.ts";

const WIRE_TYPES: Readonly<Partial<Record<ScalarName, number>>> = {
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  string: 2,
  bytes: 2,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
};

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;

export function wireTypeOf(type: ScalarName): number {
  return WIRE_TYPES[type] ?? 0;
}

export function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

export function writerName(type: ScalarName): string {
  return `write${type[0]!.toUpperCase()}${type.slice(1)}`;
}

export function emitEncode(unit: Unit, desc: DescMessage, name: string): string {
  return new EncodeEmitter(unit, planOf(desc), name).emit();
}

class EncodeEmitter {
  private readonly unit: Unit;
  private readonly plan: MessagePlan;
  private readonly name: string;
  /** Places with a length in front. */
  private places = 0;

  constructor(unit: Unit, plan: MessagePlan, name: string) {
    this.unit = unit;
    this.plan = plan;
    this.name = name;
  }

  emit(): string {
    const { plan, unit } = this;
    const oneofs = [...new Set(plan.fields.flatMap(({ oneof }) => (oneof === undefined ? [] : [oneof])))];
    const body = [
      `const type = message["$typeName"];`,
      `if (type !== ${literal(plan.typeName)}) checkMessage(${unit.constant(plan)}, type, message, field);`,
      "let value, start, end, length;",
      ...oneofs.map((oneof, index) => `const oneof${index} = ${property(oneof)} ?? unset;`),
      ...oneofs.map((_, index) => `const case${index} = oneof${index}.case;`),
      ...plan.fields.map((field) => this.field(field, oneofs)),
      `if (type !== undefined && "$unknown" in message) {`,
      "  at = writeUnknown(bytes, at, limit, message);",
      "}",
      "return at;",
    ];
    const lengths = Array.from({ length: this.places }, (_, place) => `let ${this.lengthAt(place)} = 1;\n`).join("");
    return `${lengths}function ${this.name}(message, bytes, at, limit, field) {\n${indent(body.join("\n"))}\n}`;
  }

  private field(field: FieldPlan, oneofs: readonly string[]): string {
    if (field.oneof !== undefined) {
      const index = oneofs.indexOf(field.oneof);
      const body = `value = oneof${index}.value;\n${this.value(field, field.number)}`;
      return `if (case${index} === ${literal(field.property)}) {\n${indent(body)}\n}`;
    }
    const otherwise = field.presence === "required" ? ` else missingRequired(${this.unit.constant(field)});` : "";
    return [
      `value = ${property(field.property)};`,
      `if (${this.isSet(field)}) {\n${indent(this.content(field))}\n}${otherwise}`,
    ].join("\n");
  }

  private content(field: FieldPlan): string {
    if (field.shape === "list") return this.list(field);
    return field.shape === "map" ? this.map(field) : this.value(field, field.number);
  }

  /** The condition under which the field is written; it throws for a null in a message. */
  private isSet(field: FieldPlan): string {
    const { shape, type, presence, property, zero } = field;
    const given = `value !== undefined && (value !== null || isNullAllowed(message, ${this.unit.constant(field)}))`;
    if (shape !== "singular" || !isScalar(type)) return given;
    if (presence !== "implicit") {
      // A default is no value: it comes from the prototype. In a plain object whatever is there is meant.
      const own = `(type === undefined || Object.hasOwn(message, ${literal(property)}))`;
      return this.plan.hasDefaults ? `${given} && ${own}` : given;
    }
    switch (type) {
      case "bytes":
        return `${given} && value.length !== 0`;
      case "double":
      case "float":
        return `${given} && !Object.is(value, 0)`;
      case "int64":
      case "uint64":
      case "sint64":
      case "fixed64":
      case "sfixed64":
        return `value !== 0n && ${given} && isSet64(value)`;
      default:
        return `value !== ${literal(zero as string | number | boolean)} && ${given}`;
    }
  }

  /** Writes `value` with a tag of this number: 2 for the value of a map entry. */
  private value(field: FieldPlan, number: number): string {
    const { type } = field;
    if (!isScalar(type)) return field.delimited ? this.group(field) : this.message(field, number);
    const tag = tagOf(number, wireTypeOf(type));
    const size = varintSize(tag);
    const lines = [
      `end = ${writerName(type)}(bytes, at + ${size}, limit, value, ${this.unit.constant(field)});`,
      writeTag(tag, "at"),
      "at = end;",
    ];
    return [...checkRoom("at", ROOM[type] === 0 ? 0 : size + ROOM[type]), ...lines].join("\n");
  }

  private group(field: FieldPlan): string {
    const tag = tagOf(field.number, START_GROUP);
    const size = varintSize(tag);
    return [
      ...this.checkObject(field),
      ...checkRoom("at", 2 * size),
      `end = ${this.nested(field, `at + ${size}`, `limit - ${size}`)};`,
      writeTag(tag, "at"),
      writeTag(tagOf(field.number, END_GROUP), "end"),
      `at = end + ${size};`,
    ].join("\n");
  }

  private message(field: FieldPlan, number: number): string {
    const tag = tagOf(number, LENGTH_DELIMITED);
    const place = this.place();
    return [
      ...this.checkObject(field),
      `const left${place} = ${this.lengthAt(place)};`,
      `start = at + ${varintSize(tag)} + left${place};`,
      "if (limit < start) throw OVERFLOW;",
      `end = ${this.nested(field, "start", "limit")};`,
      writeTag(tag, "at"),
      this.close(place),
    ].join("\n");
  }

  private checkObject(field: FieldPlan): string[] {
    if (field.type !== "message") return [];
    return [`if (typeof value !== "object" || value === null) wrongValue(${this.unit.constant(field)}, value);`];
  }

  private nested(field: FieldPlan, at: string, limit: string): string {
    const constant = this.unit.constant(field);
    if (field.type === "struct") return `writeStruct(bytes, ${at}, ${limit}, value, ${constant})`;
    const value = field.type === "wrapper" ? "{ value }" : "value";
    return `${this.unit.link(field.message!, "encode")}(${value}, bytes, ${at}, ${limit}, ${constant})`;
  }

  private place(): number {
    return this.places++;
  }

  /** The variable, beside the function, that says how many octets the last length here took. */
  private lengthAt(place: number): string {
    return `${this.name}_length${place}`;
  }

  /** Puts the length in front of what was written from `start` to `end`. */
  private close(place: number): string {
    return [
      "length = end - start;",
      `if (length < 128 && left${place} === 1) {`,
      "  bytes[start - 1] = length;",
      "  at = end;",
      "} else {",
      `  at = closeLength(bytes, start, end, limit, left${place});`,
      `  ${this.lengthAt(place)} = varintSize(length);`,
      "}",
    ].join("\n");
  }

  private list(field: FieldPlan): string {
    const list = `const list = asList(value, ${this.unit.constant(field)});\n`;
    if (field.packed && isScalar(field.type)) return list + this.packed(field, field.type);
    const body = `value = list[i];\n${this.value(field, field.number)}`;
    return `${list}for (let i = 0; i < list.length; i++) {\n${indent(body)}\n}`;
  }

  private packed(field: FieldPlan, type: ScalarName): string {
    const tag = tagOf(field.number, LENGTH_DELIMITED);
    const place = this.place();
    const body = [
      `const left${place} = ${this.lengthAt(place)};`,
      `start = at + ${varintSize(tag)} + left${place};`,
      "end = start;",
      "for (let i = 0; i < list.length; i++) {",
      `  if (limit - end < ${ROOM[type]}) throw OVERFLOW;`,
      `  end = ${writerName(type)}(bytes, end, limit, list[i], ${this.unit.constant(field)});`,
      "}",
      writeTag(tag, "at"),
      this.close(place),
    ].join("\n");
    return `if (list.length > 0) {\n${indent(body)}\n}`;
  }

  private map(field: FieldPlan): string {
    const constant = this.unit.constant(field);
    const key = field.mapKey!;
    const tag = tagOf(field.number, LENGTH_DELIMITED);
    const place = this.place();
    const keyText = key === "string" ? "keys[i]" : `keyValue(keys[i], ${constant})`;
    const entry = [
      "value = record[keys[i]];",
      "const tagAt = at;",
      `const left${place} = ${this.lengthAt(place)};`,
      `const entryAt = at + ${varintSize(tag)} + left${place};`,
      ...checkRoom("entryAt", ROOM[key] === 0 ? 0 : ROOM[key] + 1),
      `at = ${writerName(key)}(bytes, entryAt + 1, limit, ${keyText}, ${constant});`,
      `bytes[entryAt] = ${tagOf(1, wireTypeOf(key))};`,
      this.value(field, 2),
      writeTag(tag, "tagAt"),
      "start = entryAt;",
      "end = at;",
      this.close(place),
    ].join("\n");
    return [
      "const record = value;",
      `const keys = keysOf(record, ${constant});`,
      `for (let i = 0; i < keys.length; i++) {\n${indent(entry)}\n}`,
    ].join("\n");
  }
}

function property(name: string): string {
  return isInherited(name) ? `ownValue(message, ${literal(name)})` : `message[${literal(name)}]`;
}

function checkRoom(at: string, octets: number): string[] {
  return octets === 0 ? [] : [`if (limit - ${at} < ${octets}) throw OVERFLOW;`];
}

function writeTag(tag: number, at: string): string {
  const lines: string[] = [];
  let rest = tag;
  for (let index = 0; index < varintSize(tag); index++) {
    const octet = index === varintSize(tag) - 1 ? rest : (rest & 0x7f) | 0x80;
    lines.push(`bytes[${index === 0 ? at : `${at} + ${index}`}] = ${octet};`);
    rest >>>= 7;
  }
  return lines.join("\n");
}
