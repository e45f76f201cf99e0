import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CODE_LENGTHS, CODES, END_OF_STRING } from "./huffman-code.ts";
import { decodeHuffman, HUFFMAN_MALFORMED, HUFFMAN_SLACK_OCTETS, mostDecodedOctets } from "./huffman-decode.ts";
import { encodeHuffman, huffmanOctets, NOT_OCTETS } from "./huffman-encode.ts";

function encode(text: string): Buffer {
  const target = Buffer.alloc(huffmanOctets(text) + 8, 0xa5);
  const end = encodeHuffman(text, target, 0);
  assert.equal(end, huffmanOctets(text));
  assert.ok(target.subarray(end).every((octet) => octet === 0xa5));
  return target.subarray(0, end);
}

/** The text, or the number that stands for a failure. */
function decode(bytes: Uint8Array, maxOctets = mostDecodedOctets(bytes.length)): string | number {
  const target = Buffer.alloc(maxOctets + HUFFMAN_SLACK_OCTETS);
  const octets = decodeHuffman(bytes, 0, bytes.length, target, maxOctets);
  return octets < 0 || octets > maxOctets ? octets : target.toString("latin1", 0, octets);
}

const anyOctets = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("the Huffman code", () => {
  it("Appendix B: codes are the published ones at both ends and in between", () => {
    assert.equal(CODES.length, 257);
    const published: readonly [symbol: number, code: number, bits: number][] = [
      [0x30, 0x0, 5],
      [0x61, 0x3, 5],
      [0x20, 0x14, 6],
      [0x3a, 0x5c, 7],
      [0x26, 0xf8, 8],
      [0x21, 0x3f8, 10],
      [0x7b, 0x7ffe, 15],
      [0x5c, 0x7fff0, 19],
      [0x00, 0x1ff8, 13],
      [0xff, 0x3ffffee, 26],
      [0x0a, 0x3ffffffc, 30],
      [0x16, 0x3ffffffe, 30],
      [END_OF_STRING, 0x3fffffff, 30],
    ];
    for (const [symbol, code, bits] of published) {
      assert.deepEqual([CODES[symbol], CODE_LENGTHS[symbol]], [code, bits], `symbol ${symbol}`);
    }
  });

  it("Appendix B: the code is complete, no bit string is without a meaning", () => {
    assert.equal(
      CODE_LENGTHS.reduce((sum, bits) => sum + 2 ** -bits, 0),
      1,
    );
  });
});

describe("Huffman strings", () => {
  const vectors = [
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["302", "6402"],
    ["private", "aec3771a4b"],
    ["", ""],
  ] as const;
  for (const [text, hex] of vectors) {
    it(`C.4 ${JSON.stringify(text)} is encoded and decoded`, () => {
      assert.equal(encode(text).toString("hex"), hex);
      assert.equal(decode(Buffer.from(hex, "hex")), text);
    });
  }

  it("§5.2 every octet survives alone and beside every other", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const text = String.fromCharCode(first, second, first);
        assert.equal(decode(encode(text)), text);
      }
    }
  });

  it("§5.2 decoding undoes encoding", () => {
    fc.assert(fc.property(anyOctets, (text) => assert.equal(decode(encode(text)), text)));
  });

  it("§5.2 whatever decodes is the encoding of its text: no octets have two readings", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = decode(bytes);
        if (typeof text === "string") assert.deepEqual(encode(text), Buffer.from(bytes));
        else assert.equal(text, HUFFMAN_MALFORMED);
      }),
      { numRuns: 2000 },
    );
  });

  it("§5.2 padding with anything but ones is an error", () => {
    assert.equal(decode(Buffer.from([0b00011_111])), "a");
    for (const padding of [0b000, 0b001, 0b011, 0b110]) {
      assert.equal(decode(Buffer.from([0b00011_000 | padding])), HUFFMAN_MALFORMED);
    }
  });

  it("§5.2 more than seven bits of padding are an error", () => {
    assert.equal(decode(Buffer.from([0b00011_111, 0xff])), HUFFMAN_MALFORMED);
    assert.equal(decode(Buffer.from([0xff])), HUFFMAN_MALFORMED);
  });

  it("§5.2 an end-of-string code is an error, whatever follows it", () => {
    assert.equal(decode(Buffer.from([0xff, 0xff, 0xff, 0xff])), HUFFMAN_MALFORMED);
    assert.equal(decode(Buffer.from([0xff, 0xff, 0xff, 0xfc, 0x1f])), HUFFMAN_MALFORMED);
  });

  it("decoding stops as soon as there are more octets than allowed, and writes no further", () => {
    const bytes = encode("a".repeat(10_000));
    const target = Buffer.alloc(200, 0xa5);
    const octets = decodeHuffman(bytes, 0, bytes.length, target, 100);
    assert.ok(octets > 100 && octets <= 102);
    assert.ok(target.subarray(100 + HUFFMAN_SLACK_OCTETS).every((octet) => octet === 0xa5));
  });

  it("a string of exactly the allowed octets is decoded", () => {
    assert.equal(decode(encode("a".repeat(100)), 100), "a".repeat(100));
  });

  it("the bound on the decoded length holds", () => {
    fc.assert(
      fc.property(fc.oneof(anyOctets, fc.constantFrom("\n".repeat(99), "0".repeat(99))), (text) => {
        assert.ok(text.length <= mostDecodedOctets(huffmanOctets(text)));
      }),
    );
  });

  it("a character above 0xFF has no code", () => {
    assert.equal(huffmanOctets("\u00ff"), 4);
    assert.equal(huffmanOctets("\u0100"), NOT_OCTETS);
  });
});
