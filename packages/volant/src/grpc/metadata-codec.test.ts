import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Field } from "./header-names.ts";
import {
  appendMetadataFields,
  decodeMetadata,
  findMetadataFault,
  MAX_BINARY_VALUES,
  type MetadataEntry,
} from "./metadata-codec.ts";

function encode(entries: MetadataEntry[]): { fields: Field[]; dropped: readonly string[] } {
  const fields: Field[] = [];
  const dropped = appendMetadataFields(entries, fields);
  return { fields, dropped };
}

/** What both ways of looking at received fields say; they must agree. */
function faultOf(fields: Field[]): string | undefined {
  const { fault } = decodeMetadata(fields);
  assert.equal(findMetadataFault(fields), fault);
  return fault;
}

const key = fc
  .stringMatching(/^[0-9a-z_.-]{1,12}$/)
  .map((text) => `x-${text}`)
  .filter((name) => !name.endsWith("-bin"));
const text = fc.string({ unit: "grapheme-ascii", maxLength: 20 }).map((value) => value.trim());
const entry = fc.oneof(
  fc.tuple(key, text),
  fc.tuple(
    key.map((name) => `${name}-bin`),
    fc.uint8Array({ maxLength: 20 }),
  ),
) as fc.Arbitrary<MetadataEntry>;

test("gRPC detail 18: order and duplicates survive the wire, binary values as bytes", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
      const { fields, dropped } = encode(entries);
      assert.deepEqual(dropped, []);
      assert.equal(faultOf(fields), undefined);
      const plain = (value: string | Uint8Array) => (typeof value === "string" ? value : [...value]);
      assert.deepEqual(
        decodeMetadata(fields).entries.map(([name, value]) => [name, plain(value)]),
        entries.map(([name, value]) => [name, plain(value)]),
      );
    }),
  );
});

test("gRPC detail 17: binary values go out as base64 without padding", () => {
  assert.deepEqual(encode([["a-bin", new Uint8Array([0xff])]]).fields, [{ name: "a-bin", value: "/w" }]);
});

test("gRPC detail 17: padded, unpadded and comma-joined binary values come in as one entry each", () => {
  const { entries } = decodeMetadata([{ name: "a-bin", value: "YQ==,Yg, YWI=,," }]);
  assert.deepEqual(
    entries.map(([name, value]) => `${name} ${Buffer.from(value as Uint8Array).toString()}`),
    ["a-bin a", "a-bin b", "a-bin ab", "a-bin ", "a-bin "],
  );
});

test("gRPC detail 17: a binary value that is not base64 is a fault that names the key", () => {
  assert.match(
    faultOf([
      { name: "a-bin", value: "YQ==" },
      { name: "b-bin", value: "*" },
    ]) ?? "",
    /"b-bin" is not base64/,
  );
  assert.match(faultOf([{ name: "b-bin", value: "YQ==,*" }]) ?? "", /"b-bin"/);
});

test("gRPC detail 17: the protocol's own binary header is not judged as metadata", () => {
  assert.equal(faultOf([{ name: "grpc-status-details-bin", value: "*" }]), undefined);
});

test("a limit holds back commas that multiply into objects, and just below it nothing is refused", () => {
  const joined = (count: number) => [{ name: "a-bin", value: Array(count).fill("YQ").join(",") }];
  assert.equal(faultOf(joined(MAX_BINARY_VALUES)), undefined);
  assert.equal(decodeMetadata(joined(MAX_BINARY_VALUES)).entries.length, MAX_BINARY_VALUES);
  assert.match(faultOf(joined(MAX_BINARY_VALUES + 1)) ?? "", /more than 256 binary/);
  assert.equal(decodeMetadata([{ name: "a-bin", value: ",".repeat(16_000) }]).entries.length, MAX_BINARY_VALUES);
  const spread = [...joined(MAX_BINARY_VALUES), { name: "b-bin", value: "" }];
  assert.match(faultOf(spread) ?? "", /more than 256 binary/);
});

test("gRPC detail 18: the protocol's own fields are no metadata", () => {
  const { entries } = decodeMetadata([
    { name: ":path", value: "/a.B/C" },
    { name: "te", value: "trailers" },
    { name: "content-type", value: "application/grpc" },
    { name: "grpc-timeout", value: "1S" },
    { name: "user-agent", value: "test/1" },
    { name: "x-a", value: "1" },
  ]);
  assert.deepEqual(entries, [
    ["user-agent", "test/1"],
    ["x-a", "1"],
  ]);
});

test("gRPC detail 18: an entry that cannot travel is left out and named, the others go", () => {
  const { fields, dropped } = encode([
    ["x-a", "1"],
    ["x-bad", "caf\u00e9"],
    ["x-crlf", "a\r\nb: c"],
    ["grpc-status", "0"],
    [":path", "/x"],
    ["Upper", "a"],
    ["", "a"],
    ["x-text", new Uint8Array([1])],
    ["x-bin", "text"],
    ["x-b", "2"],
  ]);
  assert.deepEqual(fields, [
    { name: "x-a", value: "1" },
    { name: "x-b", value: "2" },
  ]);
  assert.deepEqual(dropped, ["x-bad", "x-crlf", "grpc-status", ":path", "Upper", "", "x-text", "x-bin"]);
});

test("RFC 9113 §8.2.1 a value loses its spaces at both ends", () => {
  assert.deepEqual(encode([["x-a", "  a b "]]).fields, [{ name: "x-a", value: "a b" }]);
});
