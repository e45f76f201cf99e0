/**
 * What may stand in a message or in a plain object, and what is refused, by both engines.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, getExtension, setExtension, toBinary } from "@bufbuild/protobuf";
import { EncodeError } from "../../src/protobuf/codec-error.ts";
import { extra_numbers, extra_text, Kinds2Schema, RequiredSchema } from "./gen/volant/test/kinds2_pb.ts";
import { EmptySchema, Kinds3Schema, LeafSchema } from "./gen/volant/test/kinds3_pb.ts";
import { MixedSchema } from "./gen/volant/test/mixed_pb.ts";
import { codecsOf } from "./oracle.ts";

const kinds = codecsOf(Kinds3Schema);

/** A field, a value that it cannot have, and what the error says of it. */
const REFUSED: readonly (readonly [field: string, value: unknown, name: string, reason: RegExp])[] = [
  ["oneInt32", "5", "one_int32", /expected an integer from -2147483648 to 2147483647, not the string "5"/],
  ["oneInt32", 2 ** 31, "one_int32", /not the number 2147483648/],
  ["oneInt32", 1.5, "one_int32", /not the number 1\.5/],
  ["oneInt32", 5n, "one_int32", /not the bigint 5/],
  ["oneUint32", -1, "one_uint32", /from 0 to 4294967295, not the number -1/],
  ["oneFixed32", Number.NaN, "one_fixed32", /not the number NaN/],
  ["oneFloat", 3.5e38, "one_float", /32-bit float/],
  ["oneFloat", "NaN", "one_float", /not the string "NaN"/],
  ["oneDouble", "1", "one_double", /expected a number/],
  ["oneInt64", 2n ** 63n, "one_int64", /not the bigint 9223372036854775808/],
  ["oneInt64", 0.5, "one_int64", /not the number 0\.5/],
  ["oneInt64", "0x10", "one_int64", /not the string "0x10"/],
  ["oneUint64", -1n, "one_uint64", /from 0 to 2\^64 - 1/],
  ["oneSfixed64", {}, "one_sfixed64", /not an object/],
  ["oneBool", "yes", "one_bool", /expected true or false, not the string "yes"/],
  ["oneString", 5, "one_string", /not the number 5/],
  ["oneString", "a\ud800b", "one_string", /without lone surrogates/],
  ["oneString", `${"long and ".repeat(20)}\udc00`, "one_string", /without lone surrogates/],
  ["oneBytes", "text", "one_bytes", /expected a Uint8Array, not the string "text"/],
  ["oneBytes", new Uint16Array(2), "one_bytes", /class Uint16Array/],
  ["oneEnum", "COLOR_RED", "one_enum", /expected an integer/],
  ["oneMessage", "leaf", "one_message", /volant\.test\.Leaf.*not the string "leaf"/],
  ["oneMessage", [], "one_message", /not an array/],
  ["manyInt32", 5, "many_int32", /expected an array, not the number 5/],
  ["manyInt32", new Set([1]), "many_int32", /class Set/],
  ["manyInt32", [1, null], "many_int32", /not null/],
  ["manyString", [undefined], "many_string", /not undefined/],
  ["manyMessage", [{}, undefined], "many_message", /not undefined/],
  ["toInt32", new Map([["a", 1]]), "to_int32", /expected a plain object for a map, not an object of class Map/],
  ["toInt32", [1], "to_int32", /not an array/],
  ["toInt32", { a: undefined }, "to_int32", /not undefined/],
  ["byInt32", { "1.5": "a" }, "by_int32", /the map key the string "1\.5" is no int32/],
  ["byUint64", { "-1": "a" }, "by_uint64", /is no uint64/],
  ["byBool", { yes: "a" }, "by_bool", /is no bool/],
  ["choice", { case: "eitherString", value: null }, "either_string", /not null/],
  ["choice", { case: "eitherMessage", value: undefined }, "either_message", /not undefined/],
  ["bareString", 5, "value", /google\.protobuf\.StringValue\.value.*not the number 5/],
  ["struct", { list: [1n] }, "struct", /a JSON value cannot be the bigint 1/],
  ["struct", [], "struct", /expected a JSON object/],
];

for (const [index, codec] of kinds.all.entries()) {
  const engine = index === 0 ? "compiled" : "closures";

  for (const [field, value, name, reason] of REFUSED) {
    test(`${engine}: ${field} refuses ${JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part))} and says where`, () => {
      assert.throws(
        () => codec.encode({ [field]: value } as never),
        (error: unknown) => {
          assert.ok(error instanceof EncodeError, String(error));
          assert.equal(error.fieldName, name);
          assert.match(error.typeName, /^(volant\.test|google\.protobuf)\./);
          assert.match(error.message, reason);
          return true;
        },
      );
    });
  }

  test(`${engine}: null is nothing in a plain object, and no value in a message`, () => {
    assert.equal(codec.encode({ oneString: null, oneMessage: null, manyInt32: null, choice: null } as never).length, 0);
    const message = Object.assign(create(Kinds3Schema), { oneString: null });
    assert.throws(() => codec.encode(message as never), /one_string: .*not null/);
  });

  test(`${engine}: what create() takes is taken: arrays for bytes, typed arrays for lists, numbers and strings for 64 bits`, () => {
    const init = {
      oneBytes: [1, 2, 300],
      manyInt32: Int32Array.of(1, 2, 3),
      oneInt64: 5,
      oneUint64: "18446744073709551615",
      textInt64: "-7",
      choice: { case: "eitherBytes", value: [9] },
      toBytes: { a: [1] },
      oneMessage: { text: "nested", deep: 0n },
    } as never;
    assert.deepEqual(new Uint8Array(codec.encode(init)), toBinary(Kinds3Schema, create(Kinds3Schema, init)));
  });

  test(`${engine}: a oneof case that the type does not have is left out, as create() does`, () => {
    assert.equal(codec.encode({ choice: { case: "unheardOf", value: 1 } } as never).length, 0);
  });

  test(`${engine}: another type's message is refused, at the top and inside`, () => {
    const leaf = create(LeafSchema, { text: "x" });
    assert.throws(
      () => codec.encode(leaf as never),
      /cannot encode volant\.test\.Kinds3: the message given is a volant\.test\.Leaf/,
    );
    assert.throws(() => codec.encode({ self: leaf } as never), /the message given is a volant\.test\.Leaf/);
  });

  test(`${engine}: no message is the empty one; null, arrays and texts are none`, () => {
    assert.equal(codec.encode(undefined as never).length, 0);
    assert.throws(() => codec.encode(null as never), /expected a message or a plain object, not null/);
    assert.throws(() => codec.encode([] as never), /not an array/);
    assert.throws(() => codec.encode("text" as never), /not the string "text"/);
  });

  test(`${engine}: a message that contains itself is an error`, () => {
    const message = create(Kinds3Schema);
    message.self = message;
    assert.throws(() => codec.encode(message as never), /volant\.test\.Kinds3: the message contains itself/);
  });

  test(`${engine}: a getter may encode another message meanwhile`, () => {
    const inner = { oneString: "inner ".repeat(30) };
    const outer = {
      oneString: "before",
      get maybeString() {
        codec.encode(inner as never);
        return "after";
      },
    };
    const expected = toBinary(Kinds3Schema, create(Kinds3Schema, { oneString: "before", maybeString: "after" }));
    assert.deepEqual(new Uint8Array(codec.encode(outer as never)), expected);
  });

  test(`${engine}: a message larger than any buffer that is kept`, () => {
    const message = create(Kinds3Schema, {
      oneBytes: new Uint8Array(3_000_000).fill(7),
      oneString: "ä".repeat(100_000),
    });
    const bytes = codec.encode(message as never);
    assert.equal(Buffer.compare(bytes, toBinary(Kinds3Schema, message)), 0);
    assert.deepStrictEqual(codec.decode(bytes, 0, bytes.length), message);
    assert.equal(codec.estimate, 8_192);
  });
}

test("defaults of proto2 are not written; the same value set is, and a plain object's is", () => {
  for (const codec of codecsOf(Kinds2Schema).all) {
    const message = create(Kinds2Schema);
    assert.equal(message.setInt32, -7);
    assert.equal(codec.encode(message as never).length, 0);
    message.setInt32 = -7;
    assert.deepEqual(new Uint8Array(codec.encode(message as never)), toBinary(Kinds2Schema, message));
    assert.equal(codec.encode({ setInt32: -7 } as never).length, codec.encode(message as never).length);
  }
});

test("a required field that is not set is an error that names it, outside and inside", () => {
  for (const codec of codecsOf(RequiredSchema).all) {
    assert.throws(
      () => codec.encode({ number: 1 } as never),
      /volant\.test\.Required\.text: the field is required and not set/,
    );
    const inner = { number: 1, text: "", grade: 1, inner: { text: "x" } };
    assert.throws(() => codec.encode(inner as never), /volant\.test\.Required\.number: the field is required/);
  }
});

test("extensions, which protobuf-es keeps among the unknown fields, go through", () => {
  for (const codec of codecsOf(Kinds2Schema).all) {
    const message = create(Kinds2Schema, { oneInt32: 1 });
    setExtension(message, extra_text, "more");
    setExtension(message, extra_numbers, [1, 300]);
    const bytes = codec.encode(message as never);
    const decoded = codec.decode(bytes, 0, bytes.length) as typeof message;
    assert.equal(getExtension(decoded, extra_text), "more");
    assert.deepEqual(getExtension(decoded, extra_numbers), [1, 300]);
  }
});

test("what a plain object says in $unknown is left out, as create() does", () => {
  for (const codec of codecsOf(EmptySchema).all) {
    const $unknown = [{ no: 1, wireType: 0, data: Uint8Array.of(1) }];
    assert.equal(codec.encode({ $unknown } as never).length, 0);
    assert.equal(codec.encode({ $typeName: "volant.test.Empty", $unknown } as never).length, 2);
  }
});

test("nothing of a descriptor becomes code", () => {
  const hostile = '"]; globalThis.codecWasHacked = true; //`\n';
  const schema = renamed(MixedSchema, hostile);
  for (const codec of codecsOf(schema).all) {
    const bytes = codec.encode({ [hostile]: 5 } as never);
    const decoded = codec.decode(bytes, 0, bytes.length) as unknown as Record<string, unknown>;
    assert.equal(decoded[hostile], 5);
    assert.equal(Object.hasOwn(globalThis, "codecWasHacked"), false);
  }
});

/** The type as a hostile peer's reflection could describe it: one number under a name of their choice. */
function renamed(schema: DescMessage, name: string): DescMessage {
  const field = { ...schema.fields.find(({ number }) => number === 2)!, localName: name, name };
  const renamedSchema = { ...schema, typeName: name, fields: [field], members: [field] } as unknown as DescMessage;
  Object.assign(field, { parent: renamedSchema });
  return renamedSchema;
}
