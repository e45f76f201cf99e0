// Owns: the nastiest messages that we could make of 4 MiB: most values, most objects or most work for the fewest bytes, of every wire
// type. Each is what the wire carries of one message of a type that the codec's tests use.

import type { DescMessage } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Kinds2Schema } from "../../packages/volant/test/protobuf/gen/volant/test/kinds2_pb.ts";
import { Kinds3Schema, LeafSchema } from "../../packages/volant/test/protobuf/gen/volant/test/kinds3_pb.ts";

/** What a message may have unless a server says otherwise. */
export const MESSAGE_BYTES = 4 * 1_024 * 1_024;

export interface Input {
  readonly name: string;
  readonly schema: DescMessage;
  readonly unknownFields?: "keep";
  readonly create: () => Buffer;
}

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED_32 = 5;

type Part = readonly number[] | Buffer;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function tag(number: number, wireType: number): number[] {
  return varint(number * 8 + wireType);
}

function field(number: number, content: Part): number[] {
  return [...tag(number, BYTES), ...varint(content.length), ...content];
}

/** As often as it fits. */
function repeat(part: Part): Buffer {
  const bytes = Buffer.alloc(MESSAGE_BYTES - (MESSAGE_BYTES % part.length));
  return bytes.fill(Buffer.from(part));
}

/** Parts that differ, as many as fit. */
function fill(part: (index: number) => Part): Buffer {
  const bytes = Buffer.alloc(MESSAGE_BYTES);
  let at = 0;
  for (let index = 0; ; index++) {
    const next = part(index);
    if (at + next.length > MESSAGE_BYTES) return bytes.subarray(0, at);
    bytes.set(next, at);
    at += next.length;
  }
}

/** One field of this number that takes all of it. */
function wrap(number: number, content: Buffer): Buffer {
  const head = [...tag(number, BYTES), ...varint(content.length)];
  return Buffer.concat([Buffer.from(head), content]).subarray(0, head.length + content.length);
}

function packed(number: number, part: Part): Buffer {
  const content = repeat(part);
  return wrap(number, content.subarray(0, content.length - (content.length % part.length) - 4 * part.length));
}

const text = (value: string): number[] => [...Buffer.from(value)];
const key = (index: number): number[] => text(index.toString(36));
/** Far from each other, in no order. */
const sparse = (index: number): number => Math.imul(index + 1, 0x9e37_79b1) >>> 0;

/** Keys for which an engine changes how it stores them with every second one, if it is left to itself. */
const KEYS_IN_A_ROW = 200_000;
const jumping = (index: number): number =>
  index < KEYS_IN_A_ROW ? index : KEYS_IN_A_ROW + Math.floor((index - KEYS_IN_A_ROW) / 2) * 2_000 - (index & 1);

/** An entry of a Struct, with a boolean. */
const jsonEntry = (name: number[]): number[] => field(1, [...field(1, name), ...field(2, [0x20, 1])]);

function nest(levels: number, number: number): number[] {
  let bytes: number[] = [];
  for (let level = 0; level < levels; level++) bytes = field(number, bytes);
  return bytes;
}

const groups = (number: number, levels: number): number[] => [
  ...Array.from({ length: levels }, () => tag(number, GROUP)).flat(),
  ...Array.from({ length: levels }, () => tag(number, GROUP_END)).flat(),
];

const UNKNOWN: readonly (readonly [name: string, part: Part])[] = [
  ["varints", [...tag(15, VARINT), 1]],
  ["bytes", field(15, [])],
  ["fixed32", [...tag(15, FIXED_32), 0, 0, 0, 0]],
  ["fixed64", [...tag(15, FIXED_64), 0, 0, 0, 0, 0, 0, 0, 0]],
  ["groups", groups(15, 1)],
  ["groups in groups", groups(15, 99)],
];

const KINDS: readonly (readonly [name: string, create: () => Buffer])[] = [
  ["packed varints", () => packed(62, [1])],
  ["packed 64-bit varints", () => packed(63, [1])],
  ["packed 64-bit varints of 2 octets", () => packed(63, [0x81, 1])],
  ["packed 64-bit varints as text", () => packed(205, [1])],
  ["packed 64-bit varints of 2 octets as text", () => packed(205, [0x81, 1])],
  ["packed floats", () => packed(61, [0, 0, 128, 63])],
  ["packed doubles", () => packed(60, [0, 0, 0, 0, 0, 0, 240, 63])],
  ["packed fixed64", () => packed(69, [1, 0, 0, 0, 0, 0, 0, 0])],
  ["a list of integers, each with its tag", () => repeat([...tag(92, VARINT), 1])],
  ["a list of 64-bit integers, each with its tag", () => repeat([...tag(93, VARINT), 0x81, 1])],
  ["a list of empty texts", () => repeat(field(73, []))],
  ["a list of short texts", () => fill((index) => field(73, key(index)))],
  ["a list of short texts beyond ASCII", () => repeat(field(73, text("é")))],
  ["a list of empty bytes", () => repeat(field(74, []))],
  ["a list of bytes", () => repeat(field(74, [1]))],
  ["a list of small messages", () => repeat(field(76, []))],
  ["messages of a map with bytes", () => fill((i) => field(157, [8, ...varint(i), ...field(2, field(15, []))]))],
  ["a map of bytes", () => fill((index) => field(154, [...field(1, key(index)), ...field(2, [])]))],
  ["a list of wrappers", () => repeat(field(219, []))],
  ["a list of JSON objects", () => repeat(field(239, []))],
  ["a text that comes again", () => repeat(field(14, text("é")))],
  ["bytes that come again", () => repeat(field(15, [1]))],
  ["a message that comes again", () => repeat(field(17, []))],
  ["a large message that comes again", () => repeat(field(18, []))],
  ["a large message with a map that comes again", () => fill((i) => field(18, field(131, field(1, key(i)))))],
  ["a wrapper that comes again", () => repeat(field(214, []))],
  ["an Any that comes again", () => repeat(field(235, field(1, text("a/b"))))],
  ["a oneof that changes", () => repeat([...tag(172, VARINT), 1, ...tag(182, VARINT), 1])],
  ["a oneof of messages that changes", () => repeat([...field(186, []), ...field(187, [])])],
  ["large messages, 98 deep", () => repeat(nest(98, 18))],
  ["a map with text keys", () => fill((index) => field(131, field(1, key(index))))],
  ["a map with long text keys", () => fill((index) => field(131, field(1, text(`${index}`.padStart(24, "k")))))],
  ["a map with integer keys in order", () => fill((index) => field(122, [8, ...varint(index)]))],
  [
    "a map with integer keys in a row, then far apart",
    () => fill((index) => field(122, [8, ...varint(jumping(index))])),
  ],
  ["a map with sparse integer keys", () => fill((index) => field(122, [8, ...varint(sparse(index))]))],
  ["a map with 64-bit keys", () => fill((index) => field(123, [8, ...varint(2 ** 32 + sparse(index))]))],
  ["a map with one key", () => repeat(field(131, field(1, text("k"))))],
  ["a map of empty messages", () => fill((index) => field(156, [...field(1, key(index)), ...field(2, [])]))],
  ["a map of large messages", () => fill((index) => field(157, [8, ...varint(index), ...field(2, [])]))],
  ["a map entry whose message comes again", () => wrap(157, repeat(field(2, [])))],
  ["a map entry of unknown fields", () => wrap(131, repeat([...tag(15, VARINT), 1]))],
];

const JSON_INPUTS: readonly (readonly [name: string, create: () => Buffer])[] = [
  ["text keys", () => fill((index) => jsonEntry(key(index)))],
  ["integer keys in order", () => fill((index) => jsonEntry(text(String(index))))],
  ["integer keys, backwards", () => fill((index) => jsonEntry(text(String(2_000_000 - 7 * index))))],
  ["integer keys in a row, then far apart", () => fill((index) => jsonEntry(text(String(jumping(index)))))],
  ["sparse integer keys", () => fill((index) => jsonEntry(text(String(sparse(index)))))],
  ["an object in each entry", () => fill((index) => field(1, [...field(1, key(index)), ...field(2, field(5, []))]))],
  ["a list in each entry", () => fill((index) => field(1, [...field(1, key(index)), ...field(2, field(6, []))]))],
  ["a list of booleans", () => wrap(1, wrap(2, wrap(6, repeat(field(1, [0x20, 1])))))],
  ["a list of nothing", () => wrap(1, wrap(2, wrap(6, repeat(field(1, [])))))],
  ["a list of empty lists", () => wrap(1, wrap(2, wrap(6, repeat(field(1, field(6, []))))))],
  ["a list of empty objects", () => wrap(1, wrap(2, wrap(6, repeat(field(1, field(5, []))))))],
  [
    "a list of short texts",
    () =>
      wrap(
        1,
        wrap(
          2,
          wrap(
            6,
            fill((index) => field(1, field(3, key(index)))),
          ),
        ),
      ),
  ],
  ["a value that changes its kind", () => wrap(1, wrap(2, repeat([...field(5, []), ...field(6, [])])))],
  ["a value of short texts", () => wrap(1, wrap(2, repeat(field(3, text("é")))))],
];

const GROUPS: readonly (readonly [name: string, create: () => Buffer])[] = [
  ["a group that comes again", () => repeat(groups(80, 1))],
  ["a list of groups", () => repeat(groups(82, 1))],
  ["invalid UTF-8 that is repaired", () => repeat(field(53, [0xff, 0xff]))],
  ["a long text of invalid UTF-8 that is repaired", () => wrap(53, repeat([0xff]))],
  ["extensions", () => repeat([...tag(1_001, VARINT), 1])],
  ["values that an enum does not know", () => repeat([...tag(16, VARINT), 99])],
];

export const INPUTS: readonly Input[] = [
  ...UNKNOWN.map(([name, part]) => ({
    name: `unknown ${name}, dropped`,
    schema: LeafSchema,
    create: () => repeat(part),
  })),
  ...UNKNOWN.map(([name, part]) => ({
    name: `unknown ${name}, kept`,
    schema: LeafSchema,
    unknownFields: "keep" as const,
    create: () => repeat(part),
  })),
  {
    name: "messages with an unknown field, kept",
    schema: Kinds3Schema,
    unknownFields: "keep",
    create: () => repeat(field(76, [...tag(15, VARINT), 1])),
  },
  ...KINDS.map(([name, create]) => ({ name, schema: Kinds3Schema, create })),
  ...JSON_INPUTS.map(([name, create]) => ({ name: `Struct: ${name}`, schema: StructSchema, create })),
  ...JSON_INPUTS.map(([name, create]) => ({
    name: `Struct in a field: ${name}`,
    schema: Kinds3Schema,
    create: () => wrap(232, create()),
  })),
  ...GROUPS.map(([name, create]) => ({ name: `proto2: ${name}`, schema: Kinds2Schema, create })),
];
