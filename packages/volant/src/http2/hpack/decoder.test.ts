import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DecodeResult, type HeaderField, HeaderToken, HpackDecoder } from "./index.ts";

function createDecoder(maxTableBytes = 4096): HpackDecoder {
  return new HpackDecoder({ maxTableBytes, maxListBytes: 65_536, maxFields: 1000 });
}

function decodeHex(decoder: HpackDecoder, hex: string, out: HeaderField[] = []): DecodeResult {
  const block = Buffer.from(hex, "hex");
  return decoder.decode(block, 0, block.length, out);
}

const INSERT_A1 = "4001610131";
const INSERT_A2 = "4001610132";

describe("malformed blocks", () => {
  const malformed: readonly [rule: string, hex: string, error: RegExp][] = [
    ["§6.1 index 0", "80", /index 0 names no entry; the tables hold 1 to 61/],
    ["§2.3.3 an index past the empty dynamic table", "be", /index 62 names no entry/],
    ["§2.3.3 a name index past the dynamic table", "7f000131", /index 63 names no entry/],
    ["§5.1 an index that is cut off", "ff", /an index is cut off/],
    ["§5.1 an index of 2^28", "ff81ffffff7f", /an index is out of range/],
    ["§5.1 a name index that is cut off", "7f80", /an index is cut off/],
    ["§5.2 a name without a length", "40", /a field name length is cut off/],
    [
      "§5.2 a name longer than the block",
      "400a6162",
      /a field name has a length of 10 octets, but the block has only 2/,
    ],
    ["§5.2 a value without a length", "400161", /a field value length is cut off/],
    ["§5.2 a value longer than the block", "4001617f", /a field value length is cut off/],
    ["§5.2 a huge length is refused before anything is allocated", "4001617f80ffff7f", /has a length of 268\d+ octets/],
    ["§5.1 a length above 2^28 - 1", "4001617f81ffffff7f", /a field value length is out of range/],
    ["§5.2 Huffman padding with zeros", "4001618118", /not a Huffman string/],
    ["§5.2 Huffman padding of a whole octet", "400161821fff", /not a Huffman string/],
    ["§5.2 an end-of-string code in a value", "40016184ffffffff", /not a Huffman string/],
    ["§5.2 an end-of-string code in a name", "4084ffffffff0161", /not a Huffman string/],
    ["§4.2 a size update after a field", "8220", /stands after a field/],
    ["§6.3 a size update above the maximum", "3fe21f", /4097 octets exceeds the 4096/],
    ["§5.1 a size update that is cut off", "3f", /a table size update is cut off/],
  ];
  for (const [rule, hex, error] of malformed) {
    it(`${rule} is a COMPRESSION_ERROR`, () => {
      const decoder = createDecoder();
      const out: HeaderField[] = [];
      decodeHex(decoder, "82", out);
      assert.equal(decodeHex(decoder, hex, out), DecodeResult.COMPRESSION_ERROR);
      assert.match(decoder.lastError, error);
      assert.deepEqual(out, []);
    });
  }

  it("§2 no octets make the decoder throw, loop or exceed its bounds", () => {
    const block = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder({ maxTableBytes: 512, maxListBytes: 1024, maxFields: 10 });
        const out: HeaderField[] = [];
        for (const octets of blocks) {
          const result = decoder.decode(octets, 0, octets.length, out);
          assert.ok(out.length <= 10 && out.reduce((sum, field) => sum + field.size, 0) <= 1024);
          assert.ok(decoder.table.bytes <= 512);
          if (result === DecodeResult.COMPRESSION_ERROR) return;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe("legal blocks", () => {
  it("§3.2 an empty block has no fields", () => {
    const out = [] as HeaderField[];
    assert.equal(decodeHex(createDecoder(), "", out), DecodeResult.OK);
    assert.equal(out.length, 0);
  });

  it("only the octets of the range are read, and what the array held is replaced", () => {
    const decoder = createDecoder();
    const out: HeaderField[] = [];
    decodeHex(decoder, "82868441016182", out);
    assert.equal(out.length, 5);
    const block = Buffer.from("ffff8286ffff", "hex");
    assert.equal(decoder.decode(block, 2, 4, out), DecodeResult.OK);
    assert.deepEqual(
      out.map((field) => field.token),
      [HeaderToken.METHOD, HeaderToken.SCHEME],
    );
  });

  it("an indexed field is the very object of the table", () => {
    const decoder = createDecoder();
    const first: HeaderField[] = [];
    const second: HeaderField[] = [];
    decodeHex(decoder, INSERT_A1, first);
    decodeHex(decoder, "be", second);
    assert.equal(first[0], second[0]);
  });

  it("§4.4 a name may come from the entry that its own insertion evicts", () => {
    const decoder = createDecoder(40);
    const out: HeaderField[] = [];
    assert.equal(decodeHex(decoder, `${INSERT_A1}7e0132`, out), DecodeResult.OK);
    assert.deepEqual(
      out.map(({ name, value }) => `${name}=${value}`),
      ["a=1", "a=2"],
    );
    assert.equal(decoder.table.length, 1);
    assert.equal(decoder.table.get(0)?.value, "2");
  });

  it("§6.1 an index of several octets reaches the end of a large table", () => {
    const decoder = createDecoder();
    const inserts = Array.from({ length: 100 }, (_, at) => `40016103${Buffer.from(String(100 + at)).toString("hex")}`);
    const out: HeaderField[] = [];
    assert.equal(decodeHex(decoder, `${inserts.join("")}ff22`, out), DecodeResult.OK);
    assert.equal(out.at(-1)?.value, "100");
    assert.equal(decodeHex(decoder, "ff23"), DecodeResult.COMPRESSION_ERROR);
  });

  it("a cookie in crumbs is as many fields", () => {
    const out: HeaderField[] = [];
    decodeHex(createDecoder(), "6003613d316003623d326003633d33", out);
    assert.deepEqual(
      out.map(({ token, value }) => [token, value]),
      ["a=1", "b=2", "c=3"].map((crumb) => [HeaderToken.COOKIE, crumb]),
    );
  });
});

describe("table size updates", () => {
  it("§4.2 several at the beginning of a block are obeyed in order", () => {
    const decoder = createDecoder();
    decodeHex(decoder, INSERT_A1);
    assert.equal(decodeHex(decoder, "203fe11f"), DecodeResult.OK);
    assert.deepEqual([decoder.table.length, decoder.table.maxBytes], [0, 4096]);
  });

  it("§4.3 a smaller table evicts the oldest entries", () => {
    const decoder = createDecoder();
    decodeHex(decoder, INSERT_A1 + INSERT_A2);
    const out: HeaderField[] = [];
    assert.equal(decodeHex(decoder, "3f03be", out), DecodeResult.OK);
    assert.equal(out[0]?.value, "2");
    assert.equal(decoder.table.length, 1);
  });

  it("§4.2 after a lower maximum was acknowledged the next block must begin with an update", () => {
    for (const hex of ["", "82"]) {
      const decoder = createDecoder();
      decoder.setMaxTableBytes(100);
      assert.equal(decodeHex(decoder, hex), DecodeResult.COMPRESSION_ERROR);
      assert.match(decoder.lastError, /must begin with a table size update to at most 100 octets/);
    }
  });

  it("§4.2 the update that was required is accepted, and required once", () => {
    const decoder = createDecoder();
    decoder.setMaxTableBytes(100);
    assert.equal(decodeHex(decoder, "3f4582"), DecodeResult.OK);
    assert.equal(decoder.table.maxBytes, 100);
    assert.equal(decodeHex(decoder, "82"), DecodeResult.OK);
  });

  it("§4.2 an update above the lower maximum is an error", () => {
    const decoder = createDecoder();
    decoder.setMaxTableBytes(100);
    assert.equal(decodeHex(decoder, "3f4682"), DecodeResult.COMPRESSION_ERROR);
  });

  it("§4.2 down and up again: the smallest maximum must be signalled before the last", () => {
    const announced = createDecoder();
    const skipped = createDecoder();
    for (const decoder of [announced, skipped]) {
      decodeHex(decoder, INSERT_A1);
      decoder.setMaxTableBytes(0);
      decoder.setMaxTableBytes(4096);
    }
    assert.equal(decodeHex(announced, "203fe11f82"), DecodeResult.OK);
    assert.equal(announced.table.length, 0);
    assert.equal(decodeHex(skipped, "3fe11f82"), DecodeResult.COMPRESSION_ERROR);
  });

  it("§4.2 the smallest maximum counts, not the last, even if both are below the peer's table", () => {
    for (const [hex, result] of [
      ["3f45", DecodeResult.COMPRESSION_ERROR],
      ["203f45", DecodeResult.OK],
    ] as const) {
      const decoder = createDecoder();
      decoder.setMaxTableBytes(0);
      decoder.setMaxTableBytes(100);
      assert.equal(decodeHex(decoder, hex), result);
    }
  });

  it("§4.2 a peer whose table is small enough already owes no update", () => {
    const decoder = createDecoder();
    decodeHex(decoder, "3f45");
    decoder.setMaxTableBytes(1000);
    assert.equal(decodeHex(decoder, "82"), DecodeResult.OK);
    assert.equal(decoder.table.maxBytes, 100);
  });

  it("§4.2 a higher maximum changes nothing until the peer takes it", () => {
    const decoder = createDecoder();
    decoder.setMaxTableBytes(65_536);
    assert.equal(decodeHex(decoder, "82"), DecodeResult.OK);
    assert.equal(decoder.table.maxBytes, 4096);
    assert.equal(decodeHex(decoder, "3fe1ff03"), DecodeResult.OK);
    assert.equal(decoder.table.maxBytes, 65_536);
  });
});
