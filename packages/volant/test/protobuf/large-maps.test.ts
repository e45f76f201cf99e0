/**
 * Maps with keys that somebody chose so that the engine stores them badly. What is looked at is how it stores them: how long that takes
 * depends on the machine.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { ClosureEngine, CompilingEngine } from "../../src/protobuf/compile.ts";
import { decode, encode } from "../../src/protobuf/index.ts";
import { LARGE_MAP_ENTRIES } from "../../src/protobuf/large-map.ts";
import { ProtobufCodec } from "../../src/protobuf/message-codec.ts";
import { Kinds3Schema } from "./gen/volant/test/kinds3_pb.ts";

setFlagsFromString("--allow-natives-syntax");
const isHashTable = new Function("map", "return %HasDictionaryElements(map)") as (map: object) => boolean;

const ENGINES = [new CompilingEngine(), new ClosureEngine()];

function decodeAll<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, times = 1) {
  const one = encode(schema, init);
  const bytes = Buffer.concat(Array.from({ length: times }, () => one));
  return ENGINES.map((engine) => new ProtobufCodec(schema, {}, engine).decode(bytes, 0, bytes.length));
}

const rowOf = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, ""]));

test("a large map with integer keys is a hash table, so that no key makes the engine copy all of them", () => {
  for (const { byUint32 } of decodeAll(Kinds3Schema, { byUint32: rowOf(2_000) })) {
    assert.ok(isHashTable(byUint32));
    assert.deepEqual(byUint32, rowOf(2_000));
    assert.equal(Object.getPrototypeOf(byUint32), Object.prototype);
  }
});

test("a JSON object with many integer keys is a hash table, in a field of its own", () => {
  for (const { struct } of decodeAll(Kinds3Schema, { struct: rowOf(2_000) })) {
    assert.ok(isHashTable(struct!));
    assert.deepEqual(struct, rowOf(2_000));
  }
});

test("a map that grows from one piece of a message to the next is a hash table too", () => {
  const pieces = Array.from({ length: 4 }, (_, piece) =>
    encode(Kinds3Schema, {
      self: {
        byUint32: Object.fromEntries(Array.from({ length: 600 }, (_, index) => [600 * piece + index, ""])),
        struct: Object.fromEntries(Array.from({ length: 600 }, (_, index) => [600 * piece + index, ""])),
      },
    }),
  );
  const bytes = Buffer.concat(pieces);
  for (const engine of ENGINES) {
    const { self } = new ProtobufCodec(Kinds3Schema, {}, engine).decode(bytes, 0, bytes.length);
    assert.ok(isHashTable(self!.byUint32));
    assert.ok(isHashTable(self!.struct!));
    assert.deepEqual(self!.byUint32, rowOf(2_400));
  }
});

test("a small map stays what it was, and the largest integer key is a key like any other", () => {
  for (const { byUint32 } of decodeAll(Kinds3Schema, { byUint32: rowOf(LARGE_MAP_ENTRIES - 1) })) {
    assert.equal(isHashTable(byUint32), false);
  }
  const withLargest = { ...rowOf(LARGE_MAP_ENTRIES), 4294967294: "largest", 4294967295: "beyond" };
  for (const { byUint32 } of decodeAll(Kinds3Schema, { byUint32: withLargest }))
    assert.deepEqual(byUint32, withLargest);
});

test("keys called like members of Object.prototype stay the map's own when it is large", () => {
  const names = Array.from({ length: 3_000 }, (_, index): [string, string] => [`key-${index}`, "value"]);
  const entries = [...names, ["__proto__", "own"], ["constructor", "own"], ["4294967294", "own"]] as [string, string][];
  const bytes = encode(Kinds3Schema, { byString: Object.fromEntries(entries) });
  const { byString } = decode(Kinds3Schema, bytes);
  assert.equal(Object.keys(byString).length, 3_003);
  for (const name of ["__proto__", "constructor", "4294967294"]) assert.ok(Object.hasOwn(byString, name), name);
  assert.equal(Object.getPrototypeOf(byString), Object.prototype);
});
