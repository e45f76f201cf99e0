/**
 * Random messages of any type, as protobuf-es has them: every field is a candidate, and values lie at the edges of their types.
 */
import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Random } from "./random.ts";

type Properties = Record<string, unknown>;

const TEXTS = [
  "",
  "a",
  "name",
  "user-00042@example.com",
  "ä",
  "日本語",
  "🚀 go",
  "\u0000",
  "__proto__",
  "constructor",
  "5",
];
const INT32 = [0, 1, -1, 127, 128, 300, 16_384, 2 ** 31 - 1, -(2 ** 31)];
const UINT32 = [0, 1, 127, 128, 255, 2 ** 21, 2 ** 28, 2 ** 32 - 1];
const INT64 = [0n, 1n, -1n, 127n, 128n, 1_763_800_000n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const UINT64 = [0n, 1n, 127n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 35n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
const DOUBLES = [0, -0, 1.5, -1, Number.MAX_VALUE, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY];
const FLOATS = [0, -0, 1.5, -1, Math.fround(3.4e38), Number.NaN, Number.NEGATIVE_INFINITY];

export function randomMessage(desc: DescMessage, random: Random, depth = 0): Message {
  const message = create(desc) as Message & Properties;
  const fill = random.oneIn(8) ? desc.fields.length : random.below(8);
  const chosen = new Set(Array.from({ length: fill }, () => random.below(desc.fields.length || 1)));
  for (const index of chosen) {
    const field = desc.fields[index];
    if (field !== undefined) setField(message, field, random, depth);
  }
  // Without its required fields a message cannot be encoded.
  for (const field of desc.fields) if (isRequired(field)) setField(message, field, random, 0);
  if (random.oneIn(6)) {
    message.$unknown = [{ no: 9_999, wireType: 0, data: Uint8Array.of(random.below(128)) }];
  }
  return message;
}

function isRequired(field: DescField): boolean {
  return field.presence === 3;
}

function setField(message: Properties, field: DescField, random: Random, depth: number): void {
  switch (field.fieldKind) {
    case "list": {
      const count = random.oneIn(20) ? 40 : random.below(4);
      message[field.localName] = Array.from({ length: count }, () => elementOf(field, random, depth)).filter(isGiven);
      return;
    }
    case "map":
      for (let count = random.below(4); count > 0; count--) {
        const value = elementOf(field, random, depth);
        const key = String(scalarOf(field.mapKey, random));
        if (value !== undefined) {
          Object.defineProperty(message[field.localName], key, {
            value,
            enumerable: true,
            writable: true,
            configurable: true,
          });
        }
      }
      return;
    default: {
      const value = singularOf(field, random, depth);
      if (value === undefined) return;
      if (field.oneof === undefined) message[field.localName] = value;
      else message[field.oneof.localName] = { case: field.localName, value };
    }
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined;
}

function singularOf(field: DescField, random: Random, depth: number): unknown {
  if (field.message !== undefined && field.oneof === undefined && isWrapperDesc(field.message)) {
    return scalarOf(field.message.fields[0].scalar, random);
  }
  const value = elementOf(field, random, depth);
  return "longAsString" in field && field.longAsString ? String(value) : value;
}

function elementOf(field: DescField, random: Random, depth: number): unknown {
  if (field.enum !== undefined) {
    return random.oneIn(8) && field.enum.open ? random.pick(INT32) : random.pick(field.enum.values).number;
  }
  if (field.message === undefined) {
    const value = scalarOf(field.scalar, random);
    return field.fieldKind === "list" && field.longAsString ? String(value) : value;
  }
  if (depth > 3) return undefined;
  if (field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
    return randomJsonObject(random, depth);
  }
  return randomMessage(field.message, random, depth + 1);
}

function randomJsonObject(random: Random, depth: number): Properties {
  const object: Properties = {};
  for (let count = random.below(4); count > 0; count--) {
    const value = randomJson(random, depth);
    Object.defineProperty(object, random.pick(TEXTS), { value, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

function randomJson(random: Random, depth: number): unknown {
  switch (random.below(depth > 3 ? 4 : 6)) {
    case 0:
      return null;
    case 1:
      return random.pick(DOUBLES);
    case 2:
      return random.pick(TEXTS);
    case 3:
      return random.oneIn(2);
    case 4:
      return Array.from({ length: random.below(4) }, () => randomJson(random, depth + 1));
    default:
      return randomJsonObject(random, depth + 1);
  }
}

function randomText(random: Random): string {
  return random.oneIn(6) ? random.pick(TEXTS).repeat(random.pick([1, 5, 20, 60])) : random.pick(TEXTS);
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.pick([0, 1, 3, 24, 25, 130]) }, () => random.below(256));
}

export function scalarOf(type: ScalarType, random: Random): unknown {
  switch (type) {
    case ScalarType.STRING:
      return randomText(random);
    case ScalarType.BYTES:
      return randomBytes(random);
    case ScalarType.BOOL:
      return random.oneIn(2);
    case ScalarType.DOUBLE:
      return random.pick(DOUBLES);
    case ScalarType.FLOAT:
      return random.pick(FLOATS);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return random.oneIn(3) ? random.word() : random.pick(UINT32);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return random.oneIn(3) ? BigInt.asIntN(64, randomWords(random)) : random.pick(INT64);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return random.oneIn(3) ? randomWords(random) : random.pick(UINT64);
    default:
      return random.oneIn(3) ? random.word() | 0 : random.pick(INT32);
  }
}

function randomWords(random: Random): bigint {
  return ((BigInt(random.word()) << 32n) | BigInt(random.word())) >> BigInt(random.below(64));
}

/** The same message as an init: plain objects all the way down, without `$typeName` and `$unknown`. */
export function toPlain(value: unknown): unknown {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  const plain: Properties = {};
  for (const key of Object.keys(value)) {
    if (key === "$typeName" || key === "$unknown") continue;
    const inner = toPlain((value as Properties)[key]);
    Object.defineProperty(plain, key, { value: inner, enumerable: true, writable: true, configurable: true });
  }
  return plain;
}
