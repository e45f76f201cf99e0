import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readLenientText, readText, writeText } from "./text.ts";
import { cursor, OVERFLOW, readLength } from "./varint.ts";

const FILLER = 0x81;
/** Every limit between the ways of reading and writing, and the lengths where a length takes one octet more. */
const LENGTHS = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 40, 42, 43, 63, 64, 127,
  128, 129, 5_461, 5_462, 16_383, 16_384,
];

/** Writes into exactly as much room as `length` octets of text take. */
function writeExactly(text: string): Buffer {
  const octets = Buffer.byteLength(text);
  const prefix = octets < 128 ? 1 : octets < 16_384 ? 2 : 3;
  const bytes = Buffer.alloc(octets + prefix + 2, FILLER);
  const end = writeText(bytes, 1, 1 + prefix + octets, text);
  assert.equal(end, 1 + prefix + octets);
  assert.equal(bytes[0], FILLER);
  assert.equal(bytes.at(-1), FILLER);
  const written = Buffer.from(bytes.subarray(1, end));
  assert.throws(
    () => writeText(bytes, 1, prefix + octets, text),
    (error) => error === OVERFLOW,
  );
  return written;
}

function readBack(bytes: Buffer): string {
  const length = readLength(bytes, 0, bytes.length);
  assert.equal(cursor.position + length, bytes.length);
  assert.equal(readLenientText(bytes, cursor.position, length), readText(bytes, cursor.position, length));
  return readText(bytes, cursor.position, length);
}

test("every character of an ASCII text is in its place, and one that is not ASCII is seen in every place", () => {
  for (let length = 1; length <= 30; length++) {
    const text = "abcdefghijklmnopqrstuvwxyzABCD".slice(0, length);
    assert.equal(readText(Buffer.from(`<${text}>`), 1, length), text);
    for (let at = 0; at < length; at++) {
      const octets = Buffer.from(text);
      octets[at] = 0x80;
      assert.throws(() => readText(octets, 0, length), /not valid UTF-8/);
      assert.equal(readLenientText(octets, 0, length), `${text.slice(0, at)}\ufffd${text.slice(at + 1)}`);
    }
  }
});

for (const unit of ["a", "é", "日", "🚀"]) {
  test(`texts of ${unit} of every length are written into exactly their room and read back`, () => {
    for (const length of LENGTHS) {
      const text = unit.repeat(length);
      assert.equal(readBack(writeExactly(text)), text);
    }
  });
}

test("any well-formed text is written as UTF-8 and read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      assert.equal(readBack(writeExactly(text)), text);
    }),
  );
});

test("a lone surrogate is not written, wherever it is", () => {
  const bytes = Buffer.alloc(2_000);
  for (const length of [0, 1, 11, 12, 40, 500]) {
    for (const surrogate of ["\ud800", "\udfff"]) {
      assert.equal(writeText(bytes, 0, bytes.length, "a".repeat(length) + surrogate), -1);
      assert.equal(writeText(bytes, 0, bytes.length, `${surrogate}${"ä".repeat(length)}`), -1);
    }
  }
});

test("any bytes are refused exactly where a fatal TextDecoder refuses them, and repaired as one that is not", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (octets, mostlyAscii) => {
      const bytes = mostlyAscii ? octets.map((octet, i) => (i % 5 === 0 ? octet : octet & 0x7f)) : octets;
      let expected: string | undefined;
      try {
        expected = strict.decode(bytes);
      } catch {
        assert.throws(() => readText(bytes, 0, bytes.length), /not valid UTF-8/);
      }
      if (expected !== undefined) assert.equal(readText(bytes, 0, bytes.length), expected);
      assert.equal(readLenientText(bytes, 0, bytes.length), lenient.decode(bytes));
    }),
    { numRuns: 500 },
  );
});

test("U+FFFD and the byte order mark are text like any other", () => {
  for (const text of ["\ufffd", "\ufeffa", `${"x".repeat(50)}\ufffd`]) assert.equal(readBack(writeExactly(text)), text);
});
