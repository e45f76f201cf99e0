/**
 * Bytes that look like a message: fields of its type in any order and number, packed and not, in wrong wire types, with varints that
 * are longer than they need to be, unknown fields and groups. And what a faulty network makes of good bytes.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Random } from "./random.ts";

const FIXED_64 = [ScalarType.DOUBLE, ScalarType.FIXED64, ScalarType.SFIXED64];
const FIXED_32 = [ScalarType.FLOAT, ScalarType.FIXED32, ScalarType.SFIXED32];

/** One field of the wire: a tag and its value, nearly always a legal one. */
export function randomBytes(desc: DescMessage, random: Random, depth = 0): number[] {
  const bytes: number[] = [];
  for (let count = random.below(depth > 2 ? 3 : 7); count > 0; count--) {
    const field = random.oneIn(8) ? undefined : desc.fields[random.below(desc.fields.length || 1)];
    if (field === undefined) bytes.push(...randomUnknown(random, depth));
    else bytes.push(...randomField(field, random, depth));
  }
  return bytes;
}

function randomUnknown(random: Random, depth: number): number[] {
  const number = random.pick([15, 1_500, 9_999, 123_456]);
  const wireType = random.oneIn(30) ? random.below(8) : random.pick([0, 1, 2, 3, 5]);
  return [...varint(number * 8 + wireType, random), ...rawValue(wireType, number, random, depth)];
}

function randomField(field: DescField, random: Random, depth: number): number[] {
  const isGroup = "delimitedEncoding" in field && field.delimitedEncoding;
  let wireType = isGroup ? 3 : naturalWireType(field);
  const isPacked = field.fieldKind === "list" && wireType !== 2 && wireType !== 3 && random.oneIn(2);
  if (isPacked) wireType = 2;
  else if (random.oneIn(60)) wireType = random.below(8);
  const tag = varint(field.number * 8 + wireType, random);
  if (isPacked) {
    const items = Array.from({ length: random.below(5) }, () =>
      rawValue(naturalWireType(field), 0, random, depth),
    ).flat();
    return [...tag, ...varint(items.length, random), ...items];
  }
  if (field.fieldKind === "map") return [...tag, ...lengthen(mapEntry(field, random, depth), random)];
  if (field.message !== undefined && depth < 5) {
    const inner = randomBytes(field.message, random, depth + 1);
    return isGroup ? [...tag, ...inner, ...varint(field.number * 8 + 4, random)] : [...tag, ...lengthen(inner, random)];
  }
  return [...tag, ...rawValue(wireType, field.number, random, depth, field.scalar)];
}

function mapEntry(field: DescField & { fieldKind: "map" }, random: Random, depth: number): number[] {
  const parts: number[][] = [];
  const keyWire = wireTypeOfScalar(field.mapKey);
  if (!random.oneIn(5)) parts.push([8 + keyWire, ...rawValue(keyWire, 1, random, depth, field.mapKey)]);
  for (let count = random.pick([0, 1, 1, 1, 2]); count > 0; count--) {
    const wireType = field.message === undefined ? wireTypeOfScalar(field.scalar ?? ScalarType.INT32) : 2;
    const value =
      field.message === undefined
        ? rawValue(wireType, 2, random, depth, field.scalar)
        : lengthen(depth < 5 ? randomBytes(field.message, random, depth + 1) : [], random);
    parts.push([16 + wireType, ...value]);
  }
  if (random.oneIn(10)) parts.push(randomUnknown(random, depth));
  if (random.oneIn(4)) parts.reverse();
  return parts.flat();
}

function naturalWireType(field: DescField): number {
  if (field.fieldKind === "map" || field.message !== undefined) return 2;
  return field.enum !== undefined ? 0 : wireTypeOfScalar(field.scalar);
}

function wireTypeOfScalar(type: ScalarType): number {
  if (type === ScalarType.STRING || type === ScalarType.BYTES) return 2;
  if (FIXED_64.includes(type)) return 1;
  return FIXED_32.includes(type) ? 5 : 0;
}

function rawValue(wireType: number, number: number, random: Random, depth: number, type?: ScalarType): number[] {
  switch (wireType) {
    case 0:
      return randomVarint(random);
    case 1:
      return Array.from({ length: 8 }, () => random.below(256));
    case 2:
      return lengthen(type === ScalarType.STRING ? text(random) : octets(random), random);
    case 3: {
      const inner =
        depth < 5 ? Array.from({ length: random.below(3) }, () => randomUnknown(random, depth + 1)).flat() : [];
      return [...inner, ...varint(number * 8 + 4, random)];
    }
    case 5:
      return Array.from({ length: 4 }, () => random.below(256));
    default:
      return [];
  }
}

function text(random: Random): number[] {
  const pool = ["", "key", "longer than a short text", "ä", "日本", "🚀", "__proto__"];
  const bytes = [...Buffer.from(random.pick(pool).repeat(random.pick([1, 1, 3])))];
  if (random.oneIn(25)) bytes.splice(random.below(bytes.length + 1), 0, random.pick([0x80, 0xc0, 0xff, 0xed, 0xf5]));
  return bytes;
}

function octets(random: Random): number[] {
  return Array.from({ length: random.pick([0, 1, 2, 5, 30, 140]) }, () => random.below(128));
}

function lengthen(content: number[], random: Random): number[] {
  const length = random.oneIn(80)
    ? random.pick([content.length + 1, content.length - 1, 2 ** 31, 2 ** 32 - 1])
    : content.length;
  return [...varint(Math.max(0, length), random), ...content];
}

function randomVarint(random: Random): number[] {
  if (random.oneIn(3)) return [random.below(128)];
  const bytes = Array.from({ length: random.below(random.oneIn(20) ? 12 : 10) }, () => random.below(128) | 0x80);
  return [...bytes, random.below(128)];
}

/** At times with octets that say nothing. */
function varint(value: number, random: Random): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  if (random.oneIn(100)) {
    bytes[bytes.length - 1]! |= 0x80;
    for (let more = random.below(6); more > 0; more--) bytes.push(0x80);
    bytes.push(0);
  }
  return bytes;
}

/** One to three faults: an octet changed, inserted, removed, a part repeated, the end cut off. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const result = [...bytes];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(result.length + 1);
    switch (random.below(6)) {
      case 0:
        result[at] = random.below(256);
        break;
      case 1:
        result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        result.splice(at, 0, random.below(256));
        break;
      case 3:
        result.splice(at, 1 + random.below(4));
        break;
      case 4:
        result.splice(at, 0, ...result.slice(random.below(result.length + 1)).slice(0, 40));
        break;
      default:
        result.length = at;
    }
  }
  return Uint8Array.from(result);
}
