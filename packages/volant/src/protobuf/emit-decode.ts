/**
 * Source text of the decoder of one message type. Owns what that text is; `read.ts` and `varint.ts` have the parts that it calls.
 *
 *   decode(bytes, at, end, limit, depth, previous)            → the message
 *   group(bytes, at, end, limit, depth, previous, number)     → the same, up to the end of group `number`
 *
 * `cursor.position` is where it ended. Values are collected in variables and become a message in one constructor call, so all
 * messages of a type have one shape; what has no value when unset is added behind. `previous` is what a field of the same number
 * held before: a message that comes twice is merged.
 *
 * Invariants: what protobuf-es accepts and what it makes of it, the wire type of a known field included, which it only looks at to
 * see whether a list is packed; nothing at or behind `limit` is read.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { wireTypeOf } from "./emit-encode.ts";
import { LARGE_MAP_ENTRIES } from "./large-map.ts";
import { PACKED_READERS } from "./packed.ts";
import {
  type FieldPlan,
  isInherited,
  isScalar,
  type MessagePlan,
  type OneofPlan,
  planOf,
  type ScalarName,
} from "./plan.ts";
import { MAX_DEPTH } from "./skip.ts";
import { indent, literal, type Unit } from "./unit.ts";
import { BYTES_VALUES } from "./value-budget.ts";
import { ROOM } from "./write.ts";

export function emitDecode(unit: Unit, desc: DescMessage, role: "decode" | "group", name: string): string {
  return new DecodeEmitter(unit, planOf(desc), role === "group", name).emit();
}

class DecodeEmitter {
  private readonly unit: Unit;
  private readonly plan: MessagePlan;
  private readonly isGroup: boolean;
  private readonly name: string;

  constructor(unit: Unit, plan: MessagePlan, isGroup: boolean, name: string) {
    this.unit = unit;
    this.plan = plan;
    this.isGroup = isGroup;
    this.name = name;
  }

  emit(): string {
    const { plan, unit, isGroup, name } = this;
    const self = unit.constant(plan);
    const groupEnd =
      "if ((tag & 7) === 4) {\n  if (tag >>> 3 !== number) wrongGroupEnd(number, tag);\n  break read;\n}";
    const extensions = plan.extensions === undefined ? "" : `, ${unit.constant(plan.extensions)}`;
    const maps = plan.members.flatMap((member, index) => (isMap(member) ? [`entries${index}`] : []));
    const loop = [
      isGroup ? "if (at >= end) {\n  tag = 0;\n  wrongGroupEnd(number, 0);\n}" : "if (at >= end) break;",
      "tag = bytes[at++];",
      "if (tag > 127) {\n  tag = 0;\n  tag = readTag(bytes, at - 1, limit);\n  at = cursor.position;\n}",
      "if ((tag & 7) > 5) illegalTag(tag);",
      ...(isGroup ? [groupEnd] : []),
      "switch (tag >>> 3) {",
      ...plan.fields.map((field) =>
        indent(`case ${field.number}: {\n${indent(`let value, length;\n${this.field(field)}\nbreak;`)}\n}`),
      ),
      "  default:",
      `    unknown = takeUnknown(unknown, bytes, at, limit, tag, ${MAX_DEPTH} - depth${extensions});`,
      "    at = cursor.position;",
      "}",
    ].join("\n");
    const body = [
      ...plan.members.map((member, index) => `let field${index}${this.initial(member)};`),
      "let unknown, tag = 0;",
      // What a map held before is not known: the next entry takes it for a large one.
      ...maps.map((name) => `let ${name} = previous === undefined ? 0 : ${LARGE_MAP_ENTRIES - 1};`),
      `if (previous !== undefined) {\n${indent(this.takePrevious())}\n}`,
      "try {",
      `  if (depth > ${MAX_DEPTH}) tooDeep();`,
      `  ${countValues(plan.values)}`,
      indent(`${isGroup ? "read: " : ""}for (;;) {\n${indent(loop)}\n}`),
      "} catch (error) {",
      `  throw locate(error, ${self}, tag);`,
      "}",
      "cursor.position = at;",
      this.build(),
    ].join("\n");
    const parameters = `bytes, at, end, limit, depth, previous${isGroup ? ", number" : ""}`;
    return `${this.constructorText()}\nfunction ${name}(${parameters}) {\n${indent(body)}\n}`;
  }

  /** The variables of members that every message of the type has. */
  private initial(member: FieldPlan | OneofPlan): string {
    if (member.kind === "oneof" || member.shape !== "singular" || member.presence !== "implicit") return "";
    return ` = ${member.type === "bytes" ? this.unit.constant(member.zero) : literal(member.zero as string)}`;
  }

  private isAlwaysSet(member: FieldPlan | OneofPlan): boolean {
    return member.kind === "oneof" || member.shape !== "singular" || member.presence === "implicit";
  }

  private takePrevious(): string {
    const lines = this.plan.members.map((member, index) => {
      const property = literal(member.property);
      const read = `previous[${property}]`;
      const mayInherit = (this.plan.hasDefaults || isInherited(member.property)) && !this.isAlwaysSet(member);
      return `field${index} = ${mayInherit ? `Object.hasOwn(previous, ${property}) ? ${read} : undefined` : read};`;
    });
    return [...lines, "unknown = takeHeld(previous);"].join("\n");
  }

  private constructorText(): string {
    const { plan, name, unit } = this;
    const own = plan.members.flatMap((member, index) => (this.isAlwaysSet(member) ? [{ member, index }] : []));
    const body = [
      `this["$typeName"] = ${literal(plan.typeName)};`,
      ...own.map(({ member, index }) => `this[${literal(member.property)}] = field${index};`),
    ].join("\n");
    const parameters = own.map(({ index }) => `field${index}`).join(", ");
    return `function ${name}_message(${parameters}) {\n${indent(body)}\n}\n${name}_message.prototype = ${unit.constant(plan.prototype)};`;
  }

  private build(): string {
    const { plan, name } = this;
    const values = plan.members.flatMap((member, index) => {
      if (!this.isAlwaysSet(member)) return [];
      if (member.kind === "oneof") return [`field${index} === undefined ? { case: undefined } : field${index}`];
      if (member.shape === "singular") return [`field${index}`];
      return [`field${index} === undefined ? ${member.shape === "list" ? "[]" : "{}"} : field${index}`];
    });
    const extra = plan.members.flatMap((member, index) => {
      if (this.isAlwaysSet(member)) return [];
      return [`if (field${index} !== undefined) message[${literal(member.property)}] = field${index};`];
    });
    return [
      `const message = new ${name}_message(${values.join(", ")});`,
      ...extra,
      "if (unknown !== undefined) attachHeld(message, unknown);",
      "return message;",
    ].join("\n");
  }

  private field(field: FieldPlan): string {
    const { plan } = this;
    const index = plan.members.findIndex((member) =>
      member.kind === "oneof" ? member.property === field.oneof : member === field,
    );
    const target = `field${index}`;
    if (field.shape === "list") return this.list(field, target);
    if (field.shape === "map") return this.map(field, target, `entries${index}`);
    if (field.oneof !== undefined) {
      const name = literal(field.property);
      const before = `${target} !== undefined && ${target}.case === ${name} ? ${target}.value : undefined`;
      return `${this.read(field, before)}\n${this.keep(field, `${target} = { case: ${name}, value };`)}`;
    }
    return `${this.read(field, target)}\n${this.keep(field, `${target} = value;`)}`;
  }

  private keep(field: FieldPlan, assignment: string): string {
    if (field.closedValues === undefined) return assignment;
    const known = `${this.unit.constant(field.closedValues)}.has(value)`;
    return `if (${known}) ${assignment}\nelse unknown = takeUnknownEnum(unknown, tag, value);`;
  }

  /** Statements that read one value of the field into `value`. `before` is what a message is merged into. */
  private read(field: FieldPlan, before: string): string {
    const { type } = field;
    return isScalar(type) ? this.readScalar(type, "value", field) : this.readMessage(field, before);
  }

  private readMessage(field: FieldPlan, before: string): string {
    const { type, delimited, message, number } = field;
    const role = delimited ? "group" : "decode";
    const call = type === "struct" ? "readStruct" : this.unit.link(message!, role);
    const previous = type === "wrapper" ? `${before} === undefined ? undefined : { value: ${before} }` : before;
    const end = delimited ? "limit" : "at + length";
    const suffix = delimited ? `, ${number}` : "";
    const result = `${call}(bytes, at, ${end}, limit, depth + 1, ${previous}${suffix})`;
    return [
      ...(delimited ? [] : [READ_LENGTH]),
      `value = ${result}${type === "wrapper" ? ".value" : ""};`,
      "at = cursor.position;",
    ].join("\n");
  }

  private readScalar(type: ScalarName, target: string, field: FieldPlan): string {
    const isText = field.longAsString && type.endsWith("64") && target === "value";
    switch (type) {
      case "int32":
        return `${readVarint(target)}\n${target} |= 0;`;
      case "uint32":
        return readVarint(target);
      case "sint32":
        return `${readVarint(target)}\n${target} = (${target} >>> 1) ^ -(${target} & 1);`;
      case "bool":
        return `${readVarint(target, "readVarint64(bytes, at - 1, limit);\n  VALUE = cursor.low | cursor.high;")}\n${target} = ${target} !== 0;`;
      case "string": {
        const strict = target === "key" ? "readKey" : "readText";
        const read = field.strictUtf8 ? strict : "readLenientText";
        return `${READ_LENGTH}\n${target} = ${read}(bytes, at, length);\nat += length;`;
      }
      case "bytes":
        return `${countValues(BYTES_VALUES)}\n${READ_LENGTH}\n${target} = takeBytes(bytes, at, length);\nat += length;`;
      default: {
        const read = `read${type[0]!.toUpperCase()}${type.slice(1)}(bytes, at, limit)`;
        return `${target} = ${isText ? `longText(${read})` : read};\nat = cursor.position;`;
      }
    }
  }

  private list(field: FieldPlan, target: string): string {
    const append = `if (${target} === undefined) ${target} = [value];\nelse ${target}.push(value);`;
    const one = `${this.read(field, "undefined")}\n${append}`;
    const { type } = field;
    if (type === "string") return `${countValues(1)}\n${one}`;
    if (!isScalar(type) || type === "bytes") return one;
    return `if ((tag & 7) === 2) {\n${indent(this.packed(field, type, target))}\n} else {\n${indent(one)}\n}`;
  }

  private packed(field: FieldPlan, type: ScalarName, target: string): string {
    const reader = PACKED_READERS[type];
    if (reader !== undefined && !field.longAsString) {
      const call = `${target} = ${reader}(${target}, bytes, at, at + length, limit);`;
      return `${READ_LENGTH}\n${call}\nat = cursor.position;`;
    }
    const read = this.read(field, "undefined");
    const count = wireTypeOf(type) === 0 ? "countVarints(bytes, at, last)" : `Math.ceil(length / ${ROOM[type]})`;
    const fresh = `let value;\n${read}\nitems[i] = value;`;
    return [
      READ_LENGTH,
      "const last = at + length;",
      `if (${target} === undefined) {`,
      `  const items = new Array(${count});`,
      `  for (let i = 0; i < items.length; i++) {\n${indent(indent(fresh))}\n  }`,
      `  ${target} = items;`,
      "} else {",
      indent(`while (at < last) {\n${indent(`let value;\n${read}\n${target}.push(value);`)}\n}`),
      "}",
    ].join("\n");
  }

  private map(field: FieldPlan, target: string, entries: string): string {
    const key = field.mapKey!;
    const zero = key === "string" ? '""' : key === "bool" ? '"false"' : '"0"';
    const read = this.read(field, "value");
    const entry = [
      "let entryTag = bytes[at++];",
      "if (entryTag > 127 || entryTag < 8 || (entryTag & 7) > 5) {",
      "  entryTag = readCheckedTag(bytes, at - 1, limit);",
      "  at = cursor.position;",
      "}",
      "switch (entryTag >>> 3) {",
      indent(`case 1:\n${indent(`${this.readScalar(key, "key", field)}\nbreak;`)}`),
      indent(`case 2:\n${indent(`${read}\nbreak;`)}`),
      `  default:\n    skipValue(bytes, at, limit, entryTag, ${MAX_DEPTH} - depth);\n    at = cursor.position;`,
      "}",
    ].join("\n");
    return [
      countValues(1),
      READ_LENGTH,
      "const last = at + length;",
      `let key = ${zero};`,
      "value = undefined;",
      `while (at < last) {\n${indent(entry)}\n}`,
      `if (value === undefined) value = ${this.mapDefault(field)};`,
      `if (${target} === undefined) ${target} = {};`,
      key === "string"
        ? `if (key === "__proto__") setProto(${target}, value);\nelse ${target}[key] = value;`
        : `${target}[key] = value;`,
      `if (++${entries} === ${LARGE_MAP_ENTRIES}) prepareLargeMap(${target});`,
    ].join("\n");
  }

  private mapDefault(field: FieldPlan): string {
    switch (field.type) {
      case "message":
      case "wrapper":
        return `${this.unit.link(field.message!, "decode")}(bytes, at, at, limit, depth, undefined)`;
      case "struct":
        return "{}";
      case "bytes":
        return "new Uint8Array(0)";
      default:
        return literal(field.zero as string | number | boolean | bigint);
    }
  }
}

function isMap(member: FieldPlan | OneofPlan): boolean {
  return member.kind === "field" && member.shape === "map";
}

/** Hot path: a subtraction in place, and a call once nothing is left. */
function countValues(count: number): string {
  return `if ((cursor.valuesLeft -= ${count}) < 0) noValuesLeft();`;
}

const READ_LENGTH = [
  "if (at >= limit) truncated();",
  "length = bytes[at++];",
  "if (length > 127) {\n  length = readVarint32(bytes, at - 1, limit);\n  at = cursor.position;\n}",
  "if (length > limit - at) tooLong(length, limit - at);",
].join("\n");

/** One octet in place; a longer varint by a call. */
function readVarint(target: string, longer = "VALUE = readVarint32(bytes, at - 1, limit);"): string {
  return [
    "if (at >= limit) truncated();",
    `${target} = bytes[at++];`,
    `if (${target} > 127) {\n  ${longer.replace("VALUE", target)}\n  at = cursor.position;\n}`,
  ].join("\n");
}
