/**
 * How many values a message may decode to: both engines count alike, honest messages stay far below what a server allows, and those that
 * are all objects do not.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type JsonObject } from "@bufbuild/protobuf";
import { StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { ClosureEngine, CompilingEngine } from "../../src/protobuf/compile.ts";
import { DecodeLimitError, decode, encode } from "../../src/protobuf/index.ts";
import { ProtobufCodec } from "../../src/protobuf/message-codec.ts";
import { cursor } from "../../src/protobuf/varint.ts";
import { resolveDecoding } from "../../src/stream/decoding.ts";
import { Kinds2Schema } from "./gen/volant/test/kinds2_pb.ts";
import { Kinds3Schema, LeafSchema } from "./gen/volant/test/kinds3_pb.ts";
import { codecsOf, compareEncode } from "./oracle.ts";
import { Random } from "./random.ts";
import { randomBytes } from "./random-bytes.ts";
import { randomMessage } from "./random-message.ts";
import { TEST_SCHEMAS } from "./schemas.ts";

const ENGINES = [new CompilingEngine(), new ClosureEngine()];
const MESSAGE_BYTES = 4_194_304;
const ALLOWED = resolveDecoding({}, MESSAGE_BYTES).maxDecodedValues;

/** What the message counts, by the engine's own account. */
function countOf(
  schema: DescMessage,
  bytes: Uint8Array,
  engine = ENGINES[0]!,
  unknownFields: "keep" | "drop" = "keep",
): number {
  const codec = new ProtobufCodec(schema, { maxDecodedValues: 1_000_000_000, unknownFields }, engine);
  codec.decode(bytes, 0, bytes.length);
  return 1_000_000_000 - cursor.valuesLeft;
}

function outcome(
  schema: DescMessage,
  bytes: Uint8Array,
  engine: (typeof ENGINES)[number],
  maxDecodedValues: number,
): string {
  try {
    new ProtobufCodec(schema, { maxDecodedValues }, engine).decode(bytes, 0, bytes.length);
    return "decoded";
  } catch (error) {
    return error instanceof DecodeLimitError ? error.message : "malformed";
  }
}

for (const schema of TEST_SCHEMAS) {
  test(`${schema.typeName}: both engines count the same values and give up at the same place`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const random = new Random(seed);
        const bytes = Uint8Array.from(randomBytes(schema, random));
        const allowed = random.below(60);
        const [compiled, closures] = ENGINES.map((engine) => outcome(schema, bytes, engine, allowed));
        assert.equal(closures, compiled);
        const good = compareEncode(codecsOf(schema), randomMessage(schema, random));
        assert.equal(countOf(schema, good, ENGINES[1]), countOf(schema, good, ENGINES[0]));
      }),
      { numRuns: 60 },
    );
  });
}

const LEAF_VALUES = 1;
const KINDS_VALUES = countOf(Kinds3Schema, new Uint8Array(0));

/** A message that holds the bytes, and what they count beside the outermost. */
const COUNTED: readonly (readonly [what: string, schema: DescMessage, bytes: readonly number[], count: number])[] = [
  ["two texts of a list", Kinds3Schema, [0xca, 0x04, 0, 0xca, 0x04, 1, 97], 2],
  ["bytes of a list", Kinds3Schema, [0xd2, 0x04, 0], 2],
  ["a message of a list", Kinds3Schema, [0xe2, 0x04, 0], LEAF_VALUES],
  ["a message that comes twice", Kinds3Schema, [0x8a, 0x01, 0, 0x8a, 0x01, 0], 2 * LEAF_VALUES],
  ["a message with many fields", Kinds3Schema, [0x92, 0x01, 0], KINDS_VALUES],
  ["an entry of a map", Kinds3Schema, [0x9a, 0x08, 0], 1],
  ["an entry whose value is a message that is left out", Kinds3Schema, [0xe2, 0x09, 0], 1 + LEAF_VALUES],
  ["an entry whose message comes twice", Kinds3Schema, [0xe2, 0x09, 4, 0x12, 0, 0x12, 0], 1 + 2 * LEAF_VALUES],
  ["a JSON object with a list of three numbers", Kinds3Schema, [0xc2, 0x0e, 8, 0x0a, 6, 0x12, 4, 0x32, 2, 0x0a, 0], 3],
  ["a wrapper", Kinds3Schema, [0xb2, 0x0d, 0], 1],
  ["a group", Kinds2Schema, [0x83, 0x05, 0x84, 0x05], 1],
  ["numbers of a list, packed", Kinds3Schema, [0xf2, 0x03, 3, 1, 2, 3], 0],
  ["numbers of a list, each with its tag", Kinds3Schema, [0xe0, 0x05, 1, 0xe0, 0x05, 2], 0],
  ["text in a singular field", Kinds3Schema, [0x72, 1, 97, 0x72, 1, 98], 0],
  ["bytes in a singular field, twice", Kinds3Schema, [0x7a, 1, 1, 0x7a, 0], 4],
  ["an entry of a map of bytes", Kinds3Schema, [0xd2, 0x09, 2, 0x12, 0], 3],
  ["an unknown field", LeafSchema, [0x78, 1], 2],
  ["a group of unknown fields", LeafSchema, [0x7b, 0x08, 1, 0x08, 1, 0x7c], 2],
  ["a value that its enum does not know", Kinds2Schema, [0x80, 0x01, 0x63], 2],
];

for (const [what, schema, bytes, count] of COUNTED) {
  test(`${what}: ${count} values`, () => {
    for (const engine of ENGINES) {
      assert.equal(countOf(schema, Uint8Array.from(bytes), engine) - countOf(schema, new Uint8Array(0), engine), count);
    }
  });
}

test("unknown fields that are dropped do not count", () => {
  const bytes = Uint8Array.of(0x78, 1, 0x7b, 0x7c, 0x7d, 0, 0, 0, 0);
  for (const engine of ENGINES) assert.equal(countOf(LeafSchema, bytes, engine, "drop"), LEAF_VALUES);
});

test("one value more than allowed is an error that names the place, the limit and what to do", () => {
  const bytes = encode(Kinds3Schema, { manyString: ["a", "b", "c"] });
  for (const engine of ENGINES) {
    const codecAllowing = (maxDecodedValues: number) => new ProtobufCodec(Kinds3Schema, { maxDecodedValues }, engine);
    assert.equal(codecAllowing(KINDS_VALUES + 3).decode(bytes, 0, bytes.length).manyString.length, 3);
    assert.throws(
      () => codecAllowing(KINDS_VALUES + 2).decode(bytes, 0, bytes.length),
      (error: unknown) =>
        error instanceof DecodeLimitError &&
        error.maxDecodedValues === KINDS_VALUES + 2 &&
        error.typeName === "volant.test.Kinds3" &&
        error.fieldName === "many_string" &&
        /more values than the \d+ that maxDecodedValues allows; send less in one message, or raise/.test(error.message),
    );
  }
});

test("a limit that was reached leaves the codec as it was", () => {
  const codec = new ProtobufCodec(Kinds3Schema, { maxDecodedValues: KINDS_VALUES + 1 });
  const [two, one] = [["a", "b"], ["a"]].map((manyString) => encode(Kinds3Schema, { manyString }));
  assert.throws(() => codec.decode(two!, 0, two!.length), DecodeLimitError);
  assert.deepEqual(codec.decode(one!, 0, one!.length).manyString, ["a"]);
});

test("decode() alone has no limit, and codecOf none unless it is given", () => {
  const bytes = Buffer.alloc(3 * 400_000).fill(Buffer.of(0xe2, 0x04, 0));
  assert.equal(decode(Kinds3Schema, bytes).manyMessage.length, 400_000);
  assert.throws(() => new ProtobufCodec(Kinds3Schema, { maxDecodedValues: Number.NaN }), /maxDecodedValues: NaN given/);
  assert.throws(() => new ProtobufCodec(Kinds3Schema, { maxDecodedValues: -1 }), RangeError);
});

function assertAllowed(schema: DescMessage, bytes: Uint8Array): void {
  assert.ok(countOf(schema, bytes) <= ALLOWED);
}

const FULL = MESSAGE_BYTES - 8;

/** Nothing but one packed list. */
function packed(number: number, item: readonly number[]): Buffer {
  const content = Buffer.alloc(FULL - (FULL % item.length)).fill(Buffer.from(item));
  const head = encode(LeafSchema, { text: "x".repeat(content.length) }).subarray(1, 5);
  return Buffer.concat([Uint8Array.of(((number & 15) << 3) | 0x82, number >> 4), head, content]);
}

test("unhurt: 4 MiB of packed varints, and of packed floats", () => {
  for (const bytes of [
    packed(62, [1]),
    packed(63, [1]),
    packed(61, [0, 0, 128, 63]),
    packed(60, [0, 0, 0, 0, 0, 0, 240, 63]),
  ]) {
    assert.ok(bytes.length > MESSAGE_BYTES - 16);
    assertAllowed(Kinds3Schema, bytes);
  }
});

/** As records of people, orders and events look in JSON. */
function realisticRecord(index: number): JsonObject {
  return {
    id: index,
    email: `user${index}@example.com`,
    active: index % 3 === 0,
    score: index / 7,
    tags: ["a", "eu-west", `t${index % 50}`],
    position: [8.5 + index / 1e5, 47.3],
    address: { street: `Street ${index}`, zip: String(10_000 + index), country: null },
    orders: [{ sku: `S-${index}`, quantity: 2, price: 9.99 }],
  };
}

test("unhurt: 4 MiB of realistic JSON as a Struct, in a field and alone, and as a Value", () => {
  const records = Array.from({ length: 13_200 }, (_, index) => realisticRecord(index));
  const bytes = encode(Kinds3Schema, { struct: { records } });
  assert.ok(bytes.length > 0.9 * MESSAGE_BYTES && bytes.length <= MESSAGE_BYTES, `${bytes.length} bytes`);
  assertAllowed(Kinds3Schema, bytes);
  const inner = encode(StructSchema, decode(StructSchema, bytes.subarray(6)));
  assertAllowed(StructSchema, inner);
  assertAllowed(
    ValueSchema,
    encode(ValueSchema, create(ValueSchema, { kind: { case: "structValue", value: { records } } } as never)),
  );
});

test("unhurt: 4 MiB of words of three letters, of identifiers of 16 bytes and of coordinates in JSON", () => {
  const words = Buffer.alloc(FULL - (FULL % 6)).fill(Buffer.from([0xca, 0x04, 3, 97, 98, 99]));
  assertAllowed(Kinds3Schema, words);
  const ids = Buffer.alloc(FULL - (FULL % 19)).fill(Buffer.from([0xd2, 0x04, 16, ...new Array<number>(16).fill(7)]));
  assertAllowed(Kinds3Schema, ids);
  const ring = Array.from({ length: 160_000 }, (_, index) => [index / 1e4, 47.3]);
  const coordinates = encode(Kinds3Schema, { struct: { ring } });
  assert.ok(
    coordinates.length > 0.9 * MESSAGE_BYTES && coordinates.length <= MESSAGE_BYTES,
    `${coordinates.length} bytes`,
  );
  assertAllowed(Kinds3Schema, coordinates);
});

/** All objects. */
const HEAVY: readonly (readonly [what: string, schema: DescMessage, part: readonly number[]])[] = [
  ["empty messages in a list", Kinds3Schema, [0xe2, 0x04, 0]],
  ["large messages in a map", Kinds3Schema, [0xea, 0x09, 2, 0x12, 0]],
  ["a large message that is merged again and again", Kinds3Schema, [0x92, 0x01, 0]],
  ["empty bytes in a list", Kinds2Schema, [0xb2, 0x03, 0]],
  ["unknown fields that are kept", LeafSchema, [0x78, 1]],
];

for (const [what, schema, part] of HEAVY) {
  test(`4 MiB of ${what} are refused before all of it was decoded`, () => {
    const bytes = Buffer.alloc(FULL - (FULL % part.length)).fill(Buffer.from(part));
    assert.throws(
      () => new ProtobufCodec(schema, { maxDecodedValues: ALLOWED }).decode(bytes, 0, bytes.length),
      DecodeLimitError,
    );
  });
}
