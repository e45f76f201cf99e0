/**
 * What a message has that encoding would drop or misread without an error: names that its type does not have, oneofs without a known
 * case, objects of a class in the place of a message, as a Date for a Timestamp. Owns the walk and its bounds; values that the encoder
 * refuses itself are left to it.
 *
 * Plain objects and created messages are looked at, and of objects of a class the fields that the type has: what else they have is
 * theirs. A name whose value is undefined is not there. Only what the encoder reads is read, so that accessors of other names are not
 * called.
 *
 * Invariant: nothing of the message changes, and no message costs more than {@link MOST_VALUES} steps, one that contains itself
 * included.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { nearestOf } from "./nearest-name.ts";
import { type FieldPlan, isInherited, planOf } from "./plan.ts";
import { ownValue } from "./runtime.ts";
import { MAX_DEPTH } from "./skip.ts";
import { conversionTo, describe, quote } from "./wrong-value.ts";

/** What a check looks at: properties, elements and entries. What comes behind is not checked. */
export const MOST_VALUES = 10_000;
const MOST_NAMES_SHOWN = 20;
const LONGEST_SEGMENT = 60;

export interface ShapeFault {
  /** From the message: `user`, `.tags`, `[3]`. The innermost is last. */
  readonly path: string[];
  readonly reason: string;
}

/** A property of a message, or a case of a oneof. */
type Member =
  /** A value that the encoder checks whole. */
  "leaf" | FieldPlan | OneofShape;

interface OneofShape {
  readonly kind: "oneof";
  readonly property: string;
  readonly cases: ReadonlyMap<string, "leaf" | FieldPlan>;
}

interface Shape {
  readonly desc: DescMessage;
  readonly members: ReadonlyMap<string, Member>;
}

type Properties = Readonly<Record<string, unknown>>;

const shapes = new WeakMap<DescMessage, Shape>();

/** The first fault of `message`; undefined where it has none, or the encoder refuses it anyway. */
export function findShapeFault(desc: DescMessage, message: unknown): ShapeFault | undefined {
  return new Walk().message(message, desc);
}

function shapeOf(desc: DescMessage): Shape {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    shape = createShape(desc);
    shapes.set(desc, shape);
  }
  return shape;
}

function createShape(desc: DescMessage): Shape {
  const members = new Map<string, Member>([
    ["$typeName", "leaf"],
    ["$unknown", "leaf"],
  ]);
  const { fields, members: planned } = planOf(desc);
  for (const member of planned) {
    if (member.kind === "field") members.set(member.property, leafOr(member));
    else {
      const cases = fields.filter(({ oneof }) => oneof === member.property);
      const byName = new Map(cases.map((field) => [field.property, leafOr(field)]));
      members.set(member.property, { kind: "oneof", property: member.property, cases: byName });
    }
  }
  return { desc, members };
}

function leafOr(field: FieldPlan): "leaf" | FieldPlan {
  return field.type === "message" || field.type === "struct" ? field : "leaf";
}

class Walk {
  private valuesLeft = MOST_VALUES;
  private depth = 0;

  message(value: unknown, desc: DescMessage): ShapeFault | undefined {
    if (!isObject(value) || Array.isArray(value) || this.depth >= MAX_DEPTH) return undefined;
    const shape = shapeOf(desc);
    this.depth++;
    const fault = isRecord(value) ? this.record(value, shape) : this.instance(value, shape);
    this.depth--;
    return fault;
  }

  private record(message: Properties, shape: Shape): ShapeFault | undefined {
    for (const name in message) {
      if (--this.valuesLeft < 0) return undefined;
      const member = shape.members.get(name);
      if (member === "leaf") continue;
      const fault =
        member === undefined ? unknownField(message, name, shape) : this.property(message[name], name, member);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** An object of a class. */
  private instance(value: Properties, shape: Shape): ShapeFault | undefined {
    if (isNoMessage(value, shape)) {
      const { typeName } = shape.desc;
      return faultOf(`expected a ${typeName}, not ${describe(value)}${conversionTo(typeName, value)}`);
    }
    for (const [name, member] of shape.members) {
      if (--this.valuesLeft < 0) return undefined;
      const fault = member === "leaf" ? undefined : this.property(ownValue(value, name), name, member);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private property(value: unknown, name: string, member: Exclude<Member, "leaf">): ShapeFault | undefined {
    if (value === undefined || value === null) return undefined;
    return within(name, member.kind === "oneof" ? this.oneof(value, member) : this.field(value, member));
  }

  private field(value: unknown, field: FieldPlan): ShapeFault | undefined {
    if (field.shape === "list") return this.list(value, (item) => this.value(item, field));
    return field.shape === "map" ? this.entries(value, (item) => this.value(item, field)) : this.value(value, field);
  }

  private value(value: unknown, field: FieldPlan): ShapeFault | undefined {
    return field.type === "struct" ? this.json(value) : this.message(value, field.message!);
  }

  private list(list: unknown, check: (item: unknown) => ShapeFault | undefined): ShapeFault | undefined {
    if (!Array.isArray(list)) return undefined;
    for (let index = 0; index < list.length; index++) {
      if (--this.valuesLeft < 0) return undefined;
      const fault = check(list[index]);
      if (fault !== undefined) return within(`[${index}]`, fault);
    }
    return undefined;
  }

  private entries(map: unknown, check: (item: unknown) => ShapeFault | undefined): ShapeFault | undefined {
    if (!isObject(map)) return undefined;
    for (const key in map) {
      if (--this.valuesLeft < 0) return undefined;
      const fault = check(map[key]);
      if (fault !== undefined) return within(`[${quote(key)}]`, fault);
    }
    return undefined;
  }

  private oneof(value: unknown, { property, cases }: OneofShape): ShapeFault | undefined {
    if (!isObject(value) || Array.isArray(value)) return faultOf(`expected ${formOf(cases)}, not ${describe(value)}`);
    const name = value.case;
    if (name === undefined || name === null) return isRecord(value) ? faultWithoutCase(value, cases) : undefined;
    const member = cases.get(name as string);
    if (member === undefined) return within("case", faultOf(unknownName(name, `the oneof ${property}`, "case", cases)));
    return member === "leaf" ? undefined : within("value", this.value(value.value, member));
  }

  /** google.protobuf.Struct in a field: any JSON. */
  private json(value: unknown): ShapeFault | undefined {
    if (!isObject(value) || this.depth >= MAX_DEPTH) return undefined;
    this.depth++;
    const fault = this.nestedJson(value);
    this.depth--;
    return fault;
  }

  private nestedJson(value: Properties): ShapeFault | undefined {
    if (Array.isArray(value)) return this.list(value, (item) => this.json(item));
    const tag = tagOf(value);
    if (tag === "Object" || isRecord(value)) return this.entries(value, (item) => this.json(item));
    const advice = tag === "Date" ? "; use date.toISOString()" : "";
    return faultOf(`expected a JSON value, not ${describe(value)}${advice}`);
  }
}

function faultOf(reason: string): ShapeFault {
  return { path: [], reason };
}

function within(segment: string, fault: ShapeFault | undefined): ShapeFault | undefined {
  const shown = segment.length > LONGEST_SEGMENT ? `${segment.slice(0, LONGEST_SEGMENT)}…` : segment;
  fault?.path.unshift(segment.startsWith("[") ? shown : `.${shown}`);
  return fault;
}

function unknownField(message: Properties, name: string, { desc, members }: Shape): ShapeFault | undefined {
  const property = Object.getOwnPropertyDescriptor(message, name);
  const isThere = property !== undefined && (property.get !== undefined || property.value !== undefined);
  // The encoder refuses another type's message.
  const type = message.$typeName;
  if (!isThere || (type !== undefined && type !== desc.typeName)) return undefined;
  const field = desc.fields.find((candidate) =>
    [candidate.name, candidate.localName, candidate.jsonName].includes(name),
  );
  if (field === undefined) return within(name, faultOf(unknownName(name, desc.typeName, "field", members)));
  const right =
    field.oneof === undefined
      ? `a field is given by its name in TypeScript, ${field.localName}`
      : `it is in a oneof: ${field.oneof.localName}: { case: "${field.localName}", value }`;
  return within(name, faultOf(`${desc.typeName} has no property ${quote(name)}; ${right}`));
}

function faultWithoutCase(value: Properties, cases: OneofShape["cases"]): ShapeFault | undefined {
  const given = Object.keys(value).filter((key) => key !== "case" && value[key] !== undefined);
  if (given.length === 0) return undefined;
  return faultOf(`expected ${formOf(cases)}, not an object without a case`);
}

function formOf(cases: OneofShape["cases"]): string {
  return `{ case, value } for the oneof, its case one of ${listOf(cases.keys())}`;
}

function unknownName(
  given: unknown,
  owner: string,
  kind: "field" | "case",
  known: ReadonlyMap<string, unknown>,
): string {
  const names = [...known.keys()].filter((name) => !name.startsWith("$"));
  const nearest = typeof given === "string" ? nearestOf(given, names) : undefined;
  const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  const shown = typeof given === "string" ? quote(given) : describe(given);
  return `${owner} has no ${kind} ${shown}${advice} (allowed: ${listOf(names)})`;
}

function listOf(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "none";
  const more = all.length > MOST_NAMES_SHOWN ? ` and ${all.length - MOST_NAMES_SHOWN} more` : "";
  return `${all.slice(0, MOST_NAMES_SHOWN).join(", ")}${more}`;
}

/** Whether an object of a class has nothing of a message of the type: it would be encoded as an empty one. */
function isNoMessage(value: Properties, { desc, members }: Shape): boolean {
  const tag = tagOf(value);
  const isTime = desc.typeName === "google.protobuf.Timestamp" || desc.typeName === "google.protobuf.Duration";
  if (tag !== "Object" && isTime) return true;
  for (const name of members.keys()) {
    if (isInherited(name) ? Object.hasOwn(value, name) : name in value) return false;
  }
  // An object of a class that has nothing yet is an empty message.
  return tag !== "Object" || isTime || Object.keys(value).length > 0;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null;
}

/** A plain object of any realm, or a created message, whose prototype may hold the defaults of its type. */
function isRecord(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null || Object.hasOwn(value, "$typeName");
}

/** "Date" for a date of any realm; "Object" for most classes. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
