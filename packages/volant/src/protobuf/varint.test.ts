import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { cursor, readVarint32, readVarint64, varintSize, writeVarint32, writeVarint64 } from "./varint.ts";
import { highWord, joinSigned, joinUnsigned, lowWord, splitSigned, splitUnsigned } from "./words.ts";

const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -300n, max: 300n }));

test("64-bit integers are written and read as protobuf-es does", () => {
  fc.assert(
    fc.property(int64, (value) => {
      const expected = new BinaryWriter().int64(value).finish();
      const bytes = new Uint8Array(10);
      assert.ok(splitSigned(value));
      const end = writeVarint64(bytes, 0, lowWord(), highWord());
      assert.deepEqual(bytes.subarray(0, end), expected);
      readVarint64(expected, 0, expected.length);
      assert.equal(cursor.position, expected.length);
      assert.equal(joinSigned(cursor.low, cursor.high), value);
      assert.equal(joinUnsigned(cursor.low, cursor.high), BigInt.asUintN(64, value));
    }),
  );
});

test("a bigint outside of 64 bits does not fit", () => {
  assert.equal(splitSigned(2n ** 63n), false);
  assert.equal(splitSigned(-(2n ** 63n) - 1n), false);
  assert.equal(splitUnsigned(2n ** 64n), false);
  assert.equal(splitUnsigned(-1n), false);
  assert.ok(splitUnsigned(2n ** 64n - 1n));
});

test("32-bit integers take as many octets as varintSize says, and are read back", () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(2 ** 32 - 1), fc.nat(70_000)), (value) => {
      const bytes = new Uint8Array(5);
      const end = writeVarint32(bytes, 0, value);
      assert.equal(end, varintSize(value));
      assert.equal(readVarint32(bytes, 0, end), value);
      assert.equal(cursor.position, end);
    }),
  );
});

test("a varint gets the verdict of protobuf-es whatever its octets and wherever the bytes end", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1, 127, 128, 129, 255), { maxLength: 13 }), (octets) => {
      const bytes = Uint8Array.from([...octets, 1, 1, 1]);
      const view = bytes.subarray(0, octets.length);
      for (const read of [readVarint32, readVarint64]) {
        const reader = new BinaryReader(view);
        let expected: number | bigint | string | undefined;
        try {
          expected = read === readVarint32 ? reader.uint32() : reader.uint64();
        } catch {
          assert.throws(() => read(bytes, 0, octets.length), /cannot decode/);
          continue;
        }
        const value = read(bytes, 0, octets.length);
        assert.equal(read === readVarint32 ? value : joinUnsigned(cursor.low, cursor.high), expected);
        assert.equal(cursor.position, reader.pos);
      }
    }),
    { numRuns: 1_000 },
  );
});
