/**
 * Bytes that are no message: both engines and protobuf-es say so, and ours says where.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { DecodeError } from "../../src/protobuf/codec-error.ts";
import { ProtobufCodec } from "../../src/protobuf/message-codec.ts";
import { Kinds2Schema } from "./gen/volant/test/kinds2_pb.ts";
import { Kinds3Schema, LeafSchema } from "./gen/volant/test/kinds3_pb.ts";
import { MixedSchema } from "./gen/volant/test/mixed_pb.ts";
import { codecsOf, compareDecode } from "./oracle.ts";

/** `messages` of Kinds3.self (18), one inside the other. */
function nested(levels: number): number[] {
  let bytes: number[] = [];
  for (let level = 0; level < levels; level++) bytes = [0x92, 0x01, ...varint(bytes.length), ...bytes];
  return bytes;
}

function varint(value: number): number[] {
  return value > 127 ? [(value & 127) | 128, ...varint(value >>> 7)] : [value];
}

/** Groups of an unknown number, one inside the other. */
function groups(levels: number): number[] {
  return [...new Array<number>(levels).fill(0x7b), ...new Array<number>(levels).fill(0x7c)];
}

const NEGATIVE = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

/** What is wrong, the bytes, and what the error says. */
const REFUSED: readonly (readonly [what: string, schema: DescMessage, bytes: readonly number[], says: RegExp])[] = [
  ["a varint that is cut off", LeafSchema, [0x08, 0x80], /Leaf\.number: the bytes end inside of it/],
  ["a field without its value", LeafSchema, [0x08], /Leaf\.number: the bytes end/],
  [
    "a varint of eleven octets",
    LeafSchema,
    [0x08, ...new Array(10).fill(0x80), 0],
    /Leaf\.number: a varint has more than ten/,
  ],
  ["a length past the end", LeafSchema, [0x12, 5, 97], /Leaf\.text: a length of 5 octets where 1 are left/],
  ["a huge length", LeafSchema, [0x12, 0xff, 0xff, 0xff, 0xff, 0x07, 97], /Leaf\.text: a length of 2147483647 octets/],
  ["a negative length", LeafSchema, [0x12, ...NEGATIVE], /Leaf\.text: a length of 4294967295 octets where 0 are left/],
  [
    "a huge packed list",
    Kinds3Schema,
    [0xf2, 0x03, 0xff, 0xff, 0xff, 0x7f, 1],
    /Kinds3\.many_int32: a length of 268435455/,
  ],
  ["wire type 6", LeafSchema, [0x0e, 1], /field number 1 with wire type 6 is no field/],
  ["wire type 7 of an unknown field", LeafSchema, [0x7f, 1], /field number 15 with wire type 7/],
  ["field number 0", LeafSchema, [0x00, 1], /Leaf: field number 0 with wire type 0 is no field/],
  ["a tag of 33 bits", LeafSchema, [0x88, 0x80, 0x80, 0x80, 0x10, 1], /a tag has more than 32 bits/],
  ["the end of a group that is not open", LeafSchema, [0x7c], /Leaf\.#15: group 15 ends and was not open/],
  ["a group that does not end", LeafSchema, [0x7b, 0x08, 1], /Leaf\.#15: the bytes end/],
  ["a group that another number ends", LeafSchema, [0x7b, 0x84, 0x01], /group 15 is open where group 16 ends/],
  [
    "a known group that does not end",
    Kinds2Schema,
    [0x83, 0x05, 0x08, 1],
    /Cluster: group 80 is open where the bytes end/,
  ],
  [
    "a known group that another number ends",
    Kinds2Schema,
    [0x83, 0x05, 0x8c, 0x05],
    /group 80 is open where group 81 ends/,
  ],
  ["text that is not UTF-8", LeafSchema, [0x12, 2, 0xc3, 0x28], /Leaf\.text: the text is not valid UTF-8/],
  ["a surrogate in UTF-8", LeafSchema, [0x12, 3, 0xed, 0xa0, 0x80], /not valid UTF-8/],
  ["an overlong form in UTF-8", LeafSchema, [0x12, 2, 0xc0, 0x80], /not valid UTF-8/],
  ["long text that is not UTF-8", LeafSchema, [0x12, 41, ...new Array(40).fill(97), 0xff], /not valid UTF-8/],
  ["strict text in an edition", MixedSchema, [0x2a, 1, 0xff], /Mixed\.strict_text: the text is not valid UTF-8/],
  ["a message inside that is cut off", Kinds3Schema, [0x8a, 0x01, 2, 0x12, 3], /Leaf\.text: a length of 3/],
  [
    "a map entry that is cut off",
    Kinds3Schema,
    [0xc2, 0x07, 3, 0x08],
    /Kinds3\.by_int32: a length of 3 octets where 1/,
  ],
  ["101 messages in each other", Kinds3Schema, nested(100), /Kinds3: messages are nested more than 100 deep/],
  ["a bomb of messages", Kinds3Schema, nested(5_000), /nested more than 100 deep/],
  ["101 groups in each other", LeafSchema, groups(100), /nested more than 100 deep/],
  ["a bomb of groups", LeafSchema, groups(100_000), /nested more than 100 deep/],
];

for (const [what, schema, bytes, says] of REFUSED) {
  test(`${what} is refused`, () => {
    const input = Uint8Array.from(bytes);
    assert.throws(() => fromBinary(schema, input), "protobuf-es refuses it too");
    for (const codec of codecsOf(schema).all) {
      assert.throws(
        () => codec.decode(input, 0, input.length),
        (error: unknown) => error instanceof DecodeError && says.test(error.message) && error.typeName !== "",
        `${says} expected`,
      );
    }
  });
}

/** Legal to the last. */
const ACCEPTED: readonly (readonly [what: string, schema: DescMessage, bytes: readonly number[]])[] = [
  ["100 messages in each other", Kinds3Schema, nested(99)],
  ["99 groups in each other", LeafSchema, groups(99)],
  ["a 32-bit integer of ten octets", LeafSchema, [0x08, ...NEGATIVE]],
  [
    "a length of ten octets whose high bits say nothing",
    LeafSchema,
    [0x12, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 97],
  ],
  ["an unknown varint of twenty octets", LeafSchema, [0x78, ...new Array(20).fill(0x80), 0]],
  ["a tag of five octets", LeafSchema, [0x88, 0x80, 0x80, 0x80, 0x00, 1]],
  ["another wire type than the field's", LeafSchema, [0x0d, 5]],
  ["a list with elements of both forms", Kinds3Schema, [0xf2, 0x03, 2, 1, 2, 0xf0, 0x03, 3]],
  ["text that is not UTF-8 in proto2", Kinds2Schema, [0x72, 2, 0xc3, 0x28]],
  ["a message that comes twice", Kinds3Schema, [0x8a, 0x01, 2, 0x08, 5, 0x8a, 0x01, 3, 0x12, 1, 97]],
  ["a value of a closed enum that is not one", Kinds2Schema, [0x80, 0x01, 0x63]],
  ["nothing", Kinds3Schema, []],
];

for (const [what, schema, bytes] of ACCEPTED) {
  test(`${what} is what protobuf-es makes of it`, () => {
    assert.ok(compareDecode(codecsOf(schema), Uint8Array.from(bytes)));
  });
}

test("bytes and unknown fields are copies by default, and views where that was asked for", () => {
  const input = Buffer.from([0x7a, 2, 1, 2, 0xba, 0x3e, 1, 9]);
  const schema = Kinds3Schema;
  const copying = new ProtobufCodec(schema).decode(input, 0, input.length);
  const viewing = new ProtobufCodec(schema, { bytes: "view" }).decode(input, 0, input.length);
  assert.equal(Object.getPrototypeOf(viewing.oneBytes), Uint8Array.prototype);
  assert.equal(viewing.oneBytes.buffer, input.buffer);
  assert.notEqual(copying.oneBytes.buffer, input.buffer);
  assert.deepEqual(copying.oneBytes, viewing.oneBytes);
  input.fill(0xff);
  assert.deepEqual(copying.oneBytes, Uint8Array.of(1, 2));
  assert.deepEqual(copying.$unknown?.[0]?.data, Uint8Array.of(1, 9));
  assert.deepEqual(viewing.oneBytes, Uint8Array.of(0xff, 0xff));
});

test("large bytes are a copy of their own size", () => {
  const content = Buffer.alloc(100_000, 3);
  const codec = new ProtobufCodec(Kinds3Schema);
  const bytes = codec.encode({ oneBytes: content });
  const { oneBytes } = codec.decode(bytes, 0, bytes.length);
  assert.equal(oneBytes.buffer.byteLength, content.length);
  assert.equal(Buffer.compare(oneBytes, content), 0);
});

test("unknown fields can be dropped", () => {
  const input = Buffer.from([0x78, 1, 0x08, 2]);
  for (const engineCodec of codecsOf(LeafSchema).all) assert.ok(engineCodec.decode(input, 0, 4).$unknown);
  assert.equal(new ProtobufCodec(LeafSchema, { unknownFields: "drop" }).decode(input, 0, 4).$unknown, undefined);
});

test("an unknown value of a closed enum and an unknown field are both kept, in order", () => {
  const input = Buffer.from([0x80, 0x01, 0x63, 0xb8, 0x3e, 1]);
  for (const codec of codecsOf(Kinds2Schema).all) {
    const { $unknown } = codec.decode(input, 0, input.length);
    assert.deepEqual(
      $unknown?.map(({ no }) => no),
      [16, 999],
    );
    assert.deepEqual($unknown?.[0]?.data, Uint8Array.of(0x63));
  }
});

test("a range outside of the bytes is the caller's mistake", () => {
  const codec = new ProtobufCodec(LeafSchema);
  assert.throws(() => codec.decode(Buffer.alloc(3), 1, 4), RangeError);
  assert.throws(() => codec.decode(Buffer.alloc(3), -1, 2), RangeError);
  assert.throws(() => codec.decode(Buffer.alloc(3), 2, 1), RangeError);
});
