/**
 * What encoders and decoders need to know of a message type, read from its descriptor once. Owns the translation from
 * descriptors to plans, with the special places of the well-known types; knows nothing of bytes.
 *
 * Spec: protobuf.dev "Encoding", and how protobuf-es represents a message.
 */
import { create, type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { messageValues } from "./value-budget.ts";

export type ScalarName = (typeof SCALAR_NAMES)[keyof typeof SCALAR_NAMES];

/**
 * What stands for a value: a scalar, a message, or one of the two forms of protobuf-es that are not what the wire says. A
 * google.protobuf wrapper in a singular field is its bare value; google.protobuf.Struct in a field is a JSON object.
 */
export type ValueType = ScalarName | "message" | "wrapper" | "struct";

export interface FieldPlan {
  readonly kind: "field";
  readonly number: number;
  /** Full name of the message type that declares it. */
  readonly typeName: string;
  /** In the proto. */
  readonly name: string;
  /** Where the value is: a property of the message, or the name of the case where the field is in a oneof. */
  readonly property: string;
  /** Property of the oneof. */
  readonly oneof: string | undefined;
  readonly shape: "singular" | "list" | "map";
  /** Of the value; of an element of a list; of the values of a map. */
  readonly type: ValueType;
  /** Of singular fields outside a oneof: whether a zero value is written, and whether a missing one is an error. */
  readonly presence: "implicit" | "explicit" | "required";
  /** What an unset field of implicit presence has, and what a map entry without a value has. */
  readonly zero: unknown;
  /** For messages, wrappers and Struct. */
  readonly message: DescMessage | undefined;
  /** Written as a group, without a length. */
  readonly delimited: boolean;
  readonly packed: boolean;
  readonly mapKey: ScalarName | undefined;
  /** The values of a closed enum, for singular fields: protobuf-es keeps any value in lists and maps. */
  readonly closedValues: ReadonlySet<number> | undefined;
  /** Whether text that is not UTF-8 is refused; otherwise it is repaired with U+FFFD. */
  readonly strictUtf8: boolean;
  /** `jstype = JS_STRING`: 64-bit integers are decimal strings. */
  readonly longAsString: boolean;
}

export interface NumberRange {
  readonly start: number;
  readonly end: number;
}

export interface OneofPlan {
  readonly kind: "oneof";
  readonly property: string;
}

export interface MessagePlan {
  readonly typeName: string;
  /** By ascending number: the order on the wire. */
  readonly fields: readonly FieldPlan[];
  /** Oneofs and fields outside of them in the order of the proto: the order of properties. */
  readonly members: readonly (FieldPlan | OneofPlan)[];
  /** That of every message of the type. It holds the defaults where a type tracks presence with it (proto2, editions). */
  readonly prototype: object;
  /** Whether a property may come from {@link prototype}, and then is not set. */
  readonly hasDefaults: boolean;
  /** What a message of the type counts: see `value-budget.ts`. */
  readonly values: number;
  /** The numbers that the type leaves to extensions, the end not included; undefined where there are none. */
  readonly extensions: readonly NumberRange[] | undefined;
}

const SCALAR_NAMES = {
  [ScalarType.DOUBLE]: "double",
  [ScalarType.FLOAT]: "float",
  [ScalarType.INT64]: "int64",
  [ScalarType.UINT64]: "uint64",
  [ScalarType.INT32]: "int32",
  [ScalarType.FIXED64]: "fixed64",
  [ScalarType.FIXED32]: "fixed32",
  [ScalarType.BOOL]: "bool",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
  [ScalarType.UINT32]: "uint32",
  [ScalarType.SFIXED32]: "sfixed32",
  [ScalarType.SFIXED64]: "sfixed64",
  [ScalarType.SINT32]: "sint32",
  [ScalarType.SINT64]: "sint64",
} as const;

/** `FieldDescriptorProto.FieldPresence` as features have it. */
const IMPLICIT = 2;
const LEGACY_REQUIRED = 3;

const plans = new WeakMap<DescMessage, MessagePlan>();

export function planOf(desc: DescMessage): MessagePlan {
  let plan = plans.get(desc);
  if (plan === undefined) {
    plan = createPlan(desc);
    plans.set(desc, plan);
  }
  return plan;
}

export function isScalar(type: ValueType): type is ScalarName {
  return type !== "message" && type !== "wrapper" && type !== "struct";
}

/**
 * Whether every object inherits something of this name, as of a field `has_own_property`: what is read there need not be a value of
 * the message. See `ownValue`.
 */
export function isInherited(property: string): boolean {
  return property in Object.prototype;
}

function createPlan(desc: DescMessage): MessagePlan {
  const empty = create(desc) as unknown as Record<string, unknown>;
  const prototype: object = Object.getPrototypeOf(empty);
  const byField = new Map(desc.fields.map((field) => [field, createField(field, empty)]));
  const planned = (member: DescField | DescOneof): FieldPlan | OneofPlan =>
    member.kind === "oneof" ? { kind: "oneof", property: member.localName } : byField.get(member)!;
  return {
    typeName: desc.typeName,
    fields: [...byField.values()].toSorted((a, b) => a.number - b.number),
    members: desc.members.map(planned),
    prototype,
    hasDefaults: prototype !== Object.prototype,
    values: messageValues(desc.members.length),
    extensions: desc.proto.extensionRange.length === 0 ? undefined : desc.proto.extensionRange,
  };
}

function createField(field: DescField, empty: Record<string, unknown>): FieldPlan {
  const type = valueType(field);
  const shape = field.fieldKind === "list" || field.fieldKind === "map" ? field.fieldKind : "singular";
  const isImplicit = field.presence === IMPLICIT;
  return {
    kind: "field",
    number: field.number,
    typeName: field.parent.typeName,
    name: field.name,
    property: field.localName,
    oneof: field.oneof?.localName,
    shape,
    type,
    presence: isImplicit ? "implicit" : field.presence === LEGACY_REQUIRED ? "required" : "explicit",
    zero: shape === "map" ? zeroOf(field, type) : isImplicit ? empty[field.localName] : undefined,
    message: field.message,
    delimited: "delimitedEncoding" in field && field.delimitedEncoding,
    packed: field.fieldKind === "list" && field.packed,
    mapKey: field.fieldKind === "map" ? SCALAR_NAMES[field.mapKey] : undefined,
    closedValues: closedValues(field),
    strictUtf8: field.utf8Validation,
    longAsString: "longAsString" in field && field.longAsString,
  };
}

function valueType(field: DescField): ValueType {
  if (field.enum !== undefined) return "int32";
  if (field.message === undefined) return SCALAR_NAMES[field.scalar];
  if (field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
    return "struct";
  }
  const isBare = field.fieldKind === "message" && field.oneof === undefined;
  return isBare && isWrapperDesc(field.message) ? "wrapper" : "message";
}

function closedValues(field: DescField): ReadonlySet<number> | undefined {
  if (field.fieldKind !== "enum" || field.enum.open) return undefined;
  return new Set(field.enum.values.map(({ number }) => number));
}

function zeroOf(field: DescField, type: ValueType): unknown {
  if (field.enum !== undefined) return field.enum.values[0]!.number;
  switch (type) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int64":
    case "uint64":
    case "sint64":
    case "fixed64":
    case "sfixed64":
      return 0n;
    case "bytes":
    case "message":
    case "wrapper":
    case "struct":
      return undefined;
    default:
      return 0;
  }
}
