/**
 * Fields and oneofs called like members of `Object.prototype`, of every kind: encoded and decoded as protobuf-es does. A plain object
 * inherits such members, and none of them is a value.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { DecodeError, EncodeError } from "../../src/protobuf/codec-error.ts";
import { fromTwin, type NamedType, TYPES } from "./inherited-names.ts";
import { type Codecs, codecsOf } from "./oracle.ts";
import { Random } from "./random.ts";
import { mutate, randomBytes } from "./random-bytes.ts";
import { randomMessage, toPlain } from "./random-message.ts";

const ROUNDS = 12;

function schemaOf(name: string): DescMessage {
  const type = TYPES.find(({ schema }) => schema.typeName === `volant.names.${name}`);
  assert.ok(type !== undefined, name);
  return type.schema;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function encodeAll({ all }: Codecs, message: unknown): string[] {
  return all.map((codec) => hexOf(codec.encode(message as Message)));
}

/** What protobuf-es makes of the bytes, by way of the twin; undefined where it refuses them. */
function expectedOf({ schema, twin }: NamedType, bytes: Uint8Array): Message | undefined {
  let decoded: Message;
  try {
    decoded = fromBinary(twin, bytes);
  } catch {
    return undefined;
  }
  return fromTwin(decoded, twin, schema);
}

function assertDecodes(type: NamedType, codecs: Codecs, bytes: Uint8Array): void {
  const expected = expectedOf(type, bytes);
  for (const codec of codecs.all) {
    const decode = () => codec.decode(Buffer.from(bytes), 0, bytes.length);
    if (expected === undefined) assert.throws(decode, DecodeError);
    else assert.deepStrictEqual(decode(), expected);
  }
}

for (const type of TYPES) {
  const { schema, twin } = type;
  const codecs = codecsOf(schema);
  const name = schema.typeName.replace("volant.names.", "");

  if (!schema.fields.some(({ presence }) => presence === 3)) {
    test(`${name}: empty messages, created, plain and decoded, have no bytes`, () => {
      assert.deepEqual(encodeAll(codecs, create(schema)), ["", ""]);
      assert.deepEqual(encodeAll(codecs, {}), ["", ""]);
      for (const codec of codecs.all) {
        const decoded = codec.decode(Buffer.alloc(0), 0, 0);
        assert.deepStrictEqual(decoded, create(schema));
        assert.deepEqual(encodeAll(codecs, decoded), ["", ""]);
      }
    });
  }

  test(`${name}: messages, created, plain and decoded, have the bytes of protobuf-es`, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const original = randomMessage(twin, new Random(round));
      const bytes = toBinary(twin, original);
      const message = fromTwin(original, twin, schema);
      assert.equal(hexOf(toBinary(schema, message)), hexOf(bytes));
      assert.deepEqual(encodeAll(codecs, message), [hexOf(bytes), hexOf(bytes)]);
      const plain = hexOf(toBinary(twin, create(twin, toPlain(original) as MessageInitShape<DescMessage>)));
      assert.deepEqual(encodeAll(codecs, toPlain(message)), [plain, plain]);
      assertDecodes(type, codecs, bytes);
      assert.deepEqual(encodeAll(codecs, expectedOf(type, bytes)), [hexOf(bytes), hexOf(bytes)]);
    }
  });

  test(`${name}: fields that come again are merged, and damaged bytes refused, as protobuf-es does`, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(round);
      const [one, two] = [randomMessage(twin, random), randomMessage(twin, random)].map((each) => toBinary(twin, each));
      assertDecodes(type, codecs, new Uint8Array([...one!, ...two!]));
      // The one difference to protobuf-es is about values that a closed enum does not have: see oracle.ts.
      if (schema.fields.some((field) => field.fieldKind === "enum" && !field.enum.open)) continue;
      assertDecodes(type, codecs, Uint8Array.from(randomBytes(twin, random)));
      assertDecodes(type, codecs, mutate(one!, random));
    }
  });
}

test("decoding changes nothing that other objects inherit", () => {
  for (const name of ["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"] as const) {
    assert.deepEqual(Object.keys(Object.prototype[name]), []);
  }
});

test("a required field of such a name that a plain object does not set is missing, not a function", () => {
  const codecs = codecsOf(schemaOf("proto2.Required0"));
  for (const codec of codecs.all) {
    assert.throws(() => codec.encode({} as never), { name: "EncodeError", message: /has_own_property: .*required/ });
  }
});

test("a function of one's own under such a name is refused, and never dropped", () => {
  for (const codec of codecsOf(schemaOf("proto3.Opt0")).all) {
    assert.throws(() => codec.encode({ hasOwnProperty: () => true } as never), EncodeError);
  }
});

test("a plain object of another realm inherits no value either", () => {
  const foreign: unknown = vm.runInNewContext("({})");
  for (const name of ["proto3.One0", "proto3.One7", "proto3.Opt0", "proto3.Many7", "proto3.Map7", "proto2.Default0"]) {
    assert.deepEqual(encodeAll(codecsOf(schemaOf(name)), foreign), ["", ""], name);
  }
});

test("a class that has such a field as an accessor is a message like any other", () => {
  class Named {
    get toLocaleString(): string {
      return "text";
    }
  }
  // Field 4, its tag 0x22.
  const expected = "220474657874";
  assert.deepEqual(encodeAll(codecsOf(schemaOf("proto3.Opt0")), new Named()), [expected, expected]);
});
