import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  ByteCursor,
  INTEGER_TOO_LARGE,
  INTEGER_TRUNCATED,
  MAX_INTEGER,
  MAX_INTEGER_OCTETS,
  readInteger,
  writeInteger,
} from "./integer.ts";

function cursorOver(octets: readonly number[]): ByteCursor {
  const cursor = new ByteCursor();
  cursor.reset(Uint8Array.from(octets), 0, octets.length);
  return cursor;
}

function written(pattern: number, prefixBits: number, value: number): number[] {
  const target = new Uint8Array(16);
  return [...target.subarray(0, writeInteger(target, 0, pattern, prefixBits, value))];
}

describe("prefixed integers", () => {
  const vectors = [
    { name: "C.1.1 10 with a 5-bit prefix", value: 10, prefixBits: 5, octets: [0x0a] },
    { name: "C.1.2 1337 with a 5-bit prefix", value: 1337, prefixBits: 5, octets: [0x1f, 0x9a, 0x0a] },
    { name: "C.1.3 42 with an 8-bit prefix", value: 42, prefixBits: 8, octets: [0x2a] },
    { name: "§5.1 the first value that needs a second octet", value: 31, prefixBits: 5, octets: [0x1f, 0x00] },
    {
      name: "§5.1 the largest value that is accepted",
      value: MAX_INTEGER,
      prefixBits: 7,
      octets: [0x7f, 0x80, 0xff, 0xff, 0x7f],
    },
  ];
  for (const { name, value, prefixBits, octets } of vectors) {
    it(`${name} is written and read`, () => {
      assert.deepEqual(written(0, prefixBits, value), octets);
      const cursor = cursorOver(octets);
      assert.equal(readInteger(cursor, prefixBits), value);
      assert.equal(cursor.position, octets.length);
    });
  }

  it("§5.1 bits above the prefix are kept on writing and ignored on reading", () => {
    assert.deepEqual(written(0xe0, 5, 10), [0xea]);
    assert.equal(readInteger(cursorOver([0xea]), 5), 10);
  });

  it("§5.1 zero padding within the allowed octets is read", () => {
    assert.equal(readInteger(cursorOver([0x1f, 0x80, 0x00]), 5), 31);
  });

  it("§5.1 an integer that ends with its block is truncated", () => {
    for (const octets of [[], [0x1f], [0x1f, 0x80], [0x1f, 0xff, 0xff]]) {
      assert.equal(readInteger(cursorOver(octets), 5), INTEGER_TRUNCATED);
    }
  });

  it("§5.1 a value above the largest is refused", () => {
    assert.equal(readInteger(cursorOver([0x7f, 0x81, 0xff, 0xff, 0x7f]), 7), INTEGER_TOO_LARGE);
    assert.equal(readInteger(cursorOver([0x1f, 0xff, 0xff, 0xff, 0xff, 0x0f]), 5), INTEGER_TOO_LARGE);
  });

  it("§5.1 an overlong run of continuation octets is refused even if it adds nothing", () => {
    assert.equal(readInteger(cursorOver([0x1f, 0x80, 0x80, 0x80, 0x80, 0x00]), 5), INTEGER_TOO_LARGE);
  });

  it("§5.1 reading undoes writing for every prefix", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: MAX_INTEGER }), (prefixBits, value) => {
        const octets = written(0, prefixBits, value);
        assert.ok(octets.length <= MAX_INTEGER_OCTETS);
        const cursor = cursorOver(octets);
        assert.equal(readInteger(cursor, prefixBits), value);
        assert.equal(cursor.position, octets.length);
      }),
    );
  });
});
