/**
 * What is said of a value that its field cannot have. Owns the wording; apart from the writers so that those stay small enough to
 * be inlined.
 */
import { EncodeError } from "./codec-error.ts";
import type { FieldPlan, MessagePlan, ValueType } from "./plan.ts";

const EXPECTED: Readonly<Record<ValueType, string>> = {
  double: "a number",
  float: "a number that a 32-bit float can hold",
  int32: "an integer from -2147483648 to 2147483647",
  sint32: "an integer from -2147483648 to 2147483647",
  sfixed32: "an integer from -2147483648 to 2147483647",
  uint32: "an integer from 0 to 4294967295",
  fixed32: "an integer from 0 to 4294967295",
  int64: "a bigint from -2^63 to 2^63 - 1, or an integer number or decimal string in that range",
  sint64: "a bigint from -2^63 to 2^63 - 1, or an integer number or decimal string in that range",
  sfixed64: "a bigint from -2^63 to 2^63 - 1, or an integer number or decimal string in that range",
  uint64: "a bigint from 0 to 2^64 - 1, or an integer number or decimal string in that range",
  fixed64: "a bigint from 0 to 2^64 - 1, or an integer number or decimal string in that range",
  bool: "true or false",
  string: "a string without lone surrogates",
  bytes: "a Uint8Array",
  message: "a message, or a plain object to make it from",
  wrapper: "its bare value",
  struct: "a JSON object",
};

const SHOWN_CHARACTERS = 40;

export function wrongValue(field: FieldPlan, value: unknown): never {
  const typeName = field.message?.typeName;
  const named = typeName === undefined ? "" : ` (${typeName})`;
  throw fieldError(
    field,
    `expected ${EXPECTED[field.type]}${named}, not ${describe(value)}${conversionTo(typeName, value)}`,
  );
}

const WELL_KNOWN = 'of "@bufbuild/protobuf/wkt"';

/**
 * How a value becomes a message of the type, where a function does it: "; use …". Dates and numbers are not accepted for Timestamp and
 * Duration: the types do not allow them, a number does not say its unit, and what is decoded would not be what was given.
 */
export function conversionTo(typeName: string | undefined, value: unknown): string {
  switch (typeName) {
    case "google.protobuf.Timestamp":
      if (typeof value === "number") return `; use timestampFromMs(milliseconds) ${WELL_KNOWN}`;
      if (typeof value === "string") return `; use timestampFromDate(new Date(text)) ${WELL_KNOWN}`;
      return `; use timestampFromDate(date) ${WELL_KNOWN}`;
    case "google.protobuf.Duration":
      return `; use durationFromMs(milliseconds) ${WELL_KNOWN}`;
    case "google.protobuf.Any":
      return `; use anyPack(schema, message) ${WELL_KNOWN}`;
    case "google.protobuf.Value":
      return '; use fromJson(ValueSchema, json) of "@bufbuild/protobuf"';
    default:
      return "";
  }
}

export function wrongKey(field: FieldPlan, key: string): never {
  throw fieldError(field, `the map key ${describe(key)} is no ${field.mapKey}`);
}

export function wrongList(field: FieldPlan, value: unknown): never {
  throw fieldError(field, `expected an array, not ${describe(value)}`);
}

export function wrongMap(field: FieldPlan, value: unknown): never {
  throw fieldError(field, `expected a plain object for a map, not ${describe(value)}`);
}

export function missingRequired(field: FieldPlan): never {
  throw fieldError(field, "the field is required and not set");
}

/** `message` has a `$typeName`, and it is another type's. */
export function wrongMessage(plan: MessagePlan, typeName: unknown): never {
  throw new EncodeError(plan.typeName, undefined, `the message given is a ${describeType(typeName)}`);
}

/** False in a plain object, where null is as good as nothing for `create()` too. In a message it is no value. */
export function isNullAllowed(owner: Record<string, unknown>, field: FieldPlan): false {
  if (owner.$typeName === undefined) return false;
  return wrongValue(field, null);
}

export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${quote(value)}`;
    case "bigint":
      return `the bigint ${value}`;
    case "number":
      return `the number ${Object.is(value, -0) ? "-0" : value}`;
    case "object":
      return describeObject(value);
    case "undefined":
      return "undefined";
    default:
      return `a ${typeof value}`;
  }
}

function describeObject(value: object | null): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object" ? `an object of class ${name}` : "an object";
}

function describeType(typeName: unknown): string {
  return typeof typeName === "string" ? typeName : `message whose $typeName is ${describe(typeName)}`;
}

export function quote(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}

function fieldError({ typeName, name }: FieldPlan, reason: string): EncodeError {
  return new EncodeError(typeName, name, reason);
}
