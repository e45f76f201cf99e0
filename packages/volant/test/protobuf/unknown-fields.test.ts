/**
 * Fields that a type does not have, many of them in one message: kept as bytes, and `$unknown` of protobuf-es for whoever looks.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clearExtension,
  clone,
  createRegistry,
  equals,
  fromBinary,
  getExtension,
  hasExtension,
  type Message,
  setExtension,
  toBinary,
} from "@bufbuild/protobuf";
import { ClosureEngine, CompilingEngine } from "../../src/protobuf/compile.ts";
import { ProtobufCodec } from "../../src/protobuf/message-codec.ts";
import { extra_numbers, extra_text, Kinds2Schema } from "./gen/volant/test/kinds2_pb.ts";
import { Kinds3Schema, LeafSchema } from "./gen/volant/test/kinds3_pb.ts";
import { codecsOf, compareDecode } from "./oracle.ts";

const ENGINES = [new CompilingEngine(), new ClosureEngine()];
const leafCodecs = ENGINES.map((engine) => new ProtobufCodec(LeafSchema, {}, engine));

/** A number the type has, and 40 that it has not, of every wire type, one with a longer tag than it needs. */
const PARTS = [
  [0x08, 5],
  [0x78, 0x81, 1],
  [0x7a, 2, 1, 2],
  [0x7d, 1, 2, 3, 4],
  [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
  [0x7b, 0x08, 1, 0x0b, 0x0c, 0x7c],
  [0xf8, 0x80, 0x00, 7],
  [0xf8, 0xff, 0xff, 0xff, 0x0f, 1],
];
const BYTES = Buffer.from(Array.from({ length: 6 }, () => PARTS).flat(2));

function isAccessor(message: object): boolean {
  return Object.getOwnPropertyDescriptor(message, "$unknown")?.get !== undefined;
}

test("few unknown fields are a plain property, and many an accessor until somebody looks", () => {
  for (const codec of leafCodecs) {
    const few = codec.decode(BYTES, 0, 14);
    assert.equal(isAccessor(few), false);
    assert.equal(few.$unknown?.length, 3);
    const many = codec.decode(BYTES, 0, BYTES.length);
    assert.ok(isAccessor(many));
    assert.equal(many.$unknown?.length, 42);
    assert.equal(isAccessor(many), false);
    assert.equal(many.$unknown, many.$unknown);
  }
});

test("many unknown fields are what protobuf-es makes of them, and are written back as it writes them", () => {
  const expected = fromBinary(LeafSchema, Uint8Array.from(BYTES));
  for (const codec of leafCodecs) {
    const message = codec.decode(BYTES, 0, BYTES.length);
    assert.deepEqual(codec.encode(message), Buffer.from(toBinary(LeafSchema, expected)));
    assert.ok(isAccessor(message), "encoding makes no list of them");
    assert.deepEqual(toBinary(LeafSchema, message), toBinary(LeafSchema, expected));
    assert.deepEqual(message, expected);
    assert.deepEqual(codec.encode(message), Buffer.from(toBinary(LeafSchema, expected)));
  }
  assert.ok(compareDecode(codecsOf(LeafSchema), Uint8Array.from(BYTES)));
});

test("copies of a message have its unknown fields, however they are made", () => {
  const expected = Buffer.from(toBinary(LeafSchema, fromBinary(LeafSchema, Uint8Array.from(BYTES))));
  for (const codec of leafCodecs) {
    const decoded = (): ReturnType<typeof codec.decode> => codec.decode(BYTES, 0, BYTES.length);
    const copies = {
      clone: clone(LeafSchema, decoded()),
      spread: { ...decoded() },
      assign: Object.assign(codec.decode(BYTES, 0, 2), decoded()),
      "structured clone": structuredClone(decoded()),
    };
    for (const [how, copy] of Object.entries(copies)) assert.deepEqual(codec.encode(copy), expected, how);
    assert.ok(equals(LeafSchema, decoded(), decoded(), { registry: createRegistry(), unknown: true }));
    assert.deepEqual(Object.keys(decoded()), ["$typeName", "number", "text", "$unknown"]);
    assert.equal(JSON.stringify(Object.keys({ ...decoded() })), JSON.stringify(Object.keys(decoded())));
  }
});

test("unknown fields that a program sets, changes or deletes are what is encoded", () => {
  const field = { no: 99, wireType: 0, data: Uint8Array.of(1) };
  for (const codec of leafCodecs) {
    const decoded = (): ReturnType<typeof codec.decode> => codec.decode(BYTES, 0, BYTES.length);
    const start = [0x08, 5];
    const set = decoded();
    set.$unknown = [field];
    assert.deepEqual([...codec.encode(set)], [...start, 0x98, 6, 1]);
    const unset = decoded();
    unset.$unknown = undefined as never;
    assert.deepEqual([...codec.encode(unset)], start);
    const gone = decoded();
    delete gone.$unknown;
    assert.deepEqual([...codec.encode(gone)], start);
    const defined = decoded();
    Object.defineProperty(defined, "$unknown", { value: [field], enumerable: true });
    assert.deepEqual([...codec.encode(defined)], [...start, 0x98, 6, 1]);
    const pushed = decoded();
    const before = codec.encode(pushed).length;
    pushed.$unknown!.push(field);
    assert.equal(codec.encode(pushed).length, before + 3);
  }
});

test("a frozen message shows its unknown fields, always the same, and takes no others", () => {
  for (const codec of leafCodecs) {
    const message = Object.freeze(codec.decode(BYTES, 0, BYTES.length));
    const expected = codec.encode(message);
    assert.equal(message.$unknown?.length, 42);
    assert.equal(message.$unknown, message.$unknown);
    assert.throws(() => {
      (message as Message).$unknown = [];
    }, TypeError);
    assert.deepEqual(codec.encode(message), expected);
  }
});

test("a message that comes twice has the unknown fields of both", () => {
  const once = [0x8a, 0x01, ...[(BYTES.length % 128) | 128, BYTES.length >> 7], ...BYTES];
  const few = [0x8a, 0x01, 2, 0x78, 9];
  for (const bytes of [
    [...once, ...once],
    [...few, ...once, ...few],
    [...few, ...few, ...few],
  ]) {
    assert.ok(compareDecode(codecsOf(Kinds3Schema), Uint8Array.from(bytes)));
  }
});

test("extensions are found, changed and removed among many fields", () => {
  const numbers = Array.from({ length: 20 }, (_, index) => [0xc8, 0x3e, index]);
  const bytes = Buffer.from([0xc2, 0x3e, 2, 104, 105, ...numbers.flat()]);
  for (const engine of ENGINES) {
    const codec = new ProtobufCodec(Kinds2Schema, {}, engine);
    const message = codec.decode(bytes, 0, bytes.length);
    assert.ok(hasExtension(message, extra_text));
    assert.equal(getExtension(message, extra_text), "hi");
    assert.equal(getExtension(message, extra_numbers).length, 20);
    setExtension(message, extra_text, "ho");
    clearExtension(message, extra_numbers);
    const again = fromBinary(Kinds2Schema, codec.encode(message));
    assert.equal(getExtension(again, extra_text), "ho");
    assert.equal(hasExtension(again, extra_numbers), false);
  }
});

test("what a type leaves to extensions is kept where unknown fields are dropped", () => {
  const bytes = Buffer.from([0xc2, 0x3e, 2, 104, 105, 0xb8, 0x3e, 1, 0x88, 0x7d, 1]);
  for (const engine of ENGINES) {
    const message = new ProtobufCodec(Kinds2Schema, { unknownFields: "drop" }, engine).decode(bytes, 0, bytes.length);
    assert.equal(getExtension(message, extra_text), "hi");
    assert.deepEqual(
      message.$unknown?.map(({ no }) => no),
      [1_000],
    );
  }
});

test("a value that its enum does not know is kept as a varint, also where its tag claims another wire type", () => {
  for (const engine of ENGINES) {
    const codec = new ProtobufCodec(Kinds2Schema, {}, engine);
    for (const claimed of [0, 1, 2, 3, 5]) {
      const message = codec.decode(Buffer.from([0x80 | claimed, 0x01, 0x63]), 0, 3);
      assert.deepEqual(message.$unknown, [{ no: 16, wireType: 0, data: Uint8Array.of(0x63) }]);
      assert.deepEqual([...codec.encode(message)], [0x80, 0x01, 0x63]);
    }
  }
});

test("a million unknown fields are one range of bytes", () => {
  const bytes = Buffer.alloc(2_000_000).fill(Buffer.from([0x78, 1]));
  for (const codec of leafCodecs) {
    const message = codec.decode(bytes, 0, bytes.length);
    const held = Object.getOwnPropertySymbols(message).map(
      (key) => (message as unknown as Record<symbol, { bytes: Uint8Array }>)[key],
    );
    assert.equal(held.length, 1);
    assert.ok(held[0]!.bytes.byteLength <= 2 * bytes.length);
    assert.ok(isAccessor(message));
    assert.equal(Buffer.compare(codec.encode(message), bytes), 0);
  }
});
