/** Blocks that are passed over: the table must follow all the same, however the block is cut, and little is kept of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SKIM_FAILED } from "./decoder.ts";
import { DecodeResult, type HeaderField, HpackDecoder, HpackEncoder, Indexing, type OutboundField } from "./index.ts";

const ROOM = { maxTableBytes: 4096, maxListBytes: 2 ** 24, maxFields: 2 ** 16 };

function blockOf(encoder: HpackEncoder, fields: readonly OutboundField[]): Buffer {
  const target = Buffer.alloc(encoder.sizeBound(fields));
  return target.subarray(0, encoder.encode(fields, target, 0));
}

/** Feeds the block piece by piece, as a connection does. The result is the most that was kept between two pieces. */
function skim(decoder: HpackDecoder, block: Buffer, cuts: readonly number[]): number {
  let rest = Buffer.alloc(0);
  let most = 0;
  const ends = [...new Set([...cuts.map((cut) => cut % block.length), block.length])].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    const piece = Buffer.concat([rest, block.subarray(start, end)]);
    const done = decoder.skim(piece, 0, piece.length);
    if (done === SKIM_FAILED) return SKIM_FAILED;
    rest = Buffer.from(piece.subarray(done));
    most = Math.max(most, rest.length);
    start = end;
  }
  return decoder.endSkim() && rest.length === 0 ? most : SKIM_FAILED;
}

function entries(decoder: HpackDecoder): string[][] {
  return Array.from({ length: decoder.table.length }, (_, age) => {
    const { name, value } = decoder.table.get(age)!;
    return [name, value];
  });
}

const octets = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const field: fc.Arbitrary<OutboundField> = fc.record({
  name: fc.oneof(fc.constantFrom(":path", ":status", "cookie", "x-a", "x-b"), octets(30), octets(5_000)),
  value: fc.oneof(fc.constantFrom("", "/", "200", "1"), octets(60), octets(600), octets(5_000)),
  indexing: fc.constantFrom(...Object.values(Indexing)),
});
const sizes = fc.constantFrom(undefined, 0, 64, 300, 4096);

describe("a block that is passed over", () => {
  it("§4.3 leaves the table as decoding it would, wherever it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(sizes, fc.array(field, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 })),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        (blocks) => {
          const encoder = new HpackEncoder(4096);
          const decoded = new HpackDecoder(ROOM);
          const skimmed = new HpackDecoder(ROOM);
          for (const [size, fields, cuts] of blocks) {
            if (size !== undefined) encoder.setPeerTableBytes(size);
            const block = blockOf(encoder, fields);
            assert.equal(decoded.decode(block, 0, block.length, []), DecodeResult.OK);
            // Size updates are whole in the first piece of a real block: it is longer than they can be.
            const legal = cuts.filter((cut) => cut % block.length >= 8);
            assert.notEqual(skim(skimmed, block, legal), SKIM_FAILED);
            assert.deepEqual(entries(skimmed), entries(decoded));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("keeps nothing of a value that the table does not take, in pieces of a byte", () => {
    const encoder = new HpackEncoder(4096);
    const value = "\x00".repeat(70_000);
    const block = blockOf(encoder, [{ name: "grpc-message", value, indexing: Indexing.WITHOUT }]);
    const decoder = new HpackDecoder(ROOM);
    const most = skim(
      decoder,
      block,
      Array.from({ length: block.length }, (_, at) => at),
    );
    assert.ok(most >= 0 && most <= 8, `${most} bytes were kept`);
  });

  it("keeps at most one literal that fits the table, whatever its code", () => {
    // In Huffman's longest code a character takes four bytes, so these may be one that fits.
    const huffman = Buffer.alloc(15_000, 0xff);
    const length = Buffer.of(0xff, ...[15_000 - 127].flatMap((n) => [(n & 0x7f) | 0x80, (n >> 7) & 0x7f]));
    const block = Buffer.concat([Buffer.of(0x40, 0x01, 0x61), length, huffman]);
    const decoder = new HpackDecoder(ROOM);
    const first = decoder.skim(block, 0, block.length - 1);
    assert.equal(first, 0, "the whole literal must come again");
    assert.equal(decoder.skim(block, 0, block.length), SKIM_FAILED, "that is no Huffman code");
    const larger = Buffer.concat([Buffer.of(0x40, 0x01, 0x61, 0xff, 0x81, 0x7e), Buffer.alloc(16_000, 0xff)]);
    const passing = new HpackDecoder(ROOM);
    assert.equal(passing.skim(larger, 0, 10_000), 10_000, "one that cannot fit is passed over");
  });

  for (const [name, bytes] of [
    ["an index that names nothing", Buffer.of(0x82, 0xff, 0x00)],
    ["a name's index that names nothing", Buffer.of(0x82, 0x7f, 0x00, 0x00)],
    ["an integer that is too large", Buffer.of(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ["a size update behind a field", Buffer.of(0x82, 0x20)],
    ["an end inside a field", Buffer.of(0x82, 0x00, 0x01)],
    ["an end between name and value", Buffer.of(0x82, 0x00, 0x01, 0x61)],
    ["an end inside an integer", Buffer.of(0x82, 0xff)],
  ] as const) {
    it(`§4.3 ${name} is malformed`, () => {
      assert.equal(skim(new HpackDecoder(ROOM), bytes, []), SKIM_FAILED);
    });
  }

  it("is followed by blocks that are lists again", () => {
    const encoder = new HpackEncoder(4096);
    const decoder = new HpackDecoder(ROOM);
    const known = { name: "x-known", value: "1", indexing: Indexing.INCREMENTAL };
    const large = { name: "x-large", value: "y".repeat(50_000), indexing: Indexing.INCREMENTAL };
    skim(decoder, blockOf(encoder, [known, large]), [10, 20_000]);
    const fields: HeaderField[] = [];
    const block = blockOf(encoder, [known]);
    assert.equal(block.length, 1, "by reference");
    assert.equal(decoder.decode(block, 0, 1, fields), DecodeResult.OK);
    assert.equal(fields[0]?.value, "1");
  });
});
