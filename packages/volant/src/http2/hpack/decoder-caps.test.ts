/** The caps on what a block may cost: the attack, the legitimate extreme, and the attack with the cap off. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DecodeResult, type HeaderField, HpackDecoder, HpackEncoder, Indexing, type OutboundField } from "./index.ts";

const NO_CAP = 2 ** 30;

function createDecoder(maxListBytes: number, maxFields: number): HpackDecoder {
  return new HpackDecoder({ maxTableBytes: 4096, maxListBytes, maxFields });
}

function decode(decoder: HpackDecoder, block: Uint8Array, out: HeaderField[] = []): DecodeResult {
  return decoder.decode(block, 0, block.length, out);
}

/** A peer without scruples: its blocks, from an encoder of its own. */
class Peer {
  readonly #encoder = new HpackEncoder(4096);

  block(fields: readonly OutboundField[]): Buffer {
    const target = Buffer.alloc(this.#encoder.sizeBound(fields));
    return target.subarray(0, this.#encoder.encode(fields, target, 0));
  }
}

function field(name: string, value: string, indexing: Indexing = Indexing.INCREMENTAL): OutboundField {
  return { name, value, indexing };
}

function expectInStep(decoder: HpackDecoder, peer: Peer, known: OutboundField): void {
  const out: HeaderField[] = [];
  assert.equal(decode(decoder, peer.block([known, field("after", "attack")]), out), DecodeResult.OK, decoder.lastError);
  assert.deepEqual(
    out.map(({ name, value }) => [name, value]),
    [
      [known.name, known.value],
      ["after", "attack"],
    ],
  );
}

describe("the cap on a list's octets", () => {
  const large = field("x", "y".repeat(3900));
  const references = Buffer.alloc(16_384, 0xbe);

  it("§10.5.1 16,384 references to one large entry stop at the cap (CVE-2016-6581)", () => {
    const peer = new Peer();
    const decoder = createDecoder(16_384, NO_CAP);
    decode(decoder, peer.block([large]));
    const out: HeaderField[] = [];
    assert.equal(decode(decoder, references, out), DecodeResult.LIST_TOO_LARGE);
    assert.equal(out.length, 4);
    assert.match(decoder.lastError, /exceeds 16384 octets/);
    expectInStep(decoder, peer, large);
  });

  it("§10.5.1 without the cap the same block is 64 MB of fields", () => {
    const decoder = createDecoder(NO_CAP, NO_CAP);
    decode(decoder, new Peer().block([large]));
    const out: HeaderField[] = [];
    assert.equal(decode(decoder, references, out), DecodeResult.OK);
    assert.ok(out.reduce((sum, { size }) => sum + size, 0) > 64_000_000);
  });

  it("a list of exactly the cap is accepted, one octet more is not", () => {
    const fits = field("name", "v".repeat(1000 - 36), Indexing.WITHOUT);
    const exceeds = field("name", "v".repeat(1000 - 35), Indexing.WITHOUT);
    const out: HeaderField[] = [];
    assert.equal(decode(createDecoder(1000, 10), new Peer().block([fits]), out), DecodeResult.OK);
    assert.equal(out[0]?.size, 1000);
    assert.equal(decode(createDecoder(1000, 10), new Peer().block([exceeds]), out), DecodeResult.LIST_TOO_LARGE);
    assert.deepEqual(out, []);
  });

  it("the table follows the peer's insertions after the cap, plain or Huffman, named by index or spelled out", () => {
    const peer = new Peer();
    const decoder = createDecoder(200, 100);
    const late = [field("late", "\x01".repeat(50)), field("late", "a".repeat(50)), field("cookie", "b".repeat(50))];
    const block = peer.block([field("big", "z".repeat(300), Indexing.WITHOUT), ...late]);
    assert.equal(decode(decoder, block), DecodeResult.LIST_TOO_LARGE);
    assert.equal(decoder.table.length, 3);
    for (const known of late) expectInStep(decoder, peer, known);
  });

  it("the table takes an entry that the list has no room for", () => {
    const peer = new Peer();
    const decoder = createDecoder(100, 100);
    const entry = field("x", "a".repeat(3000));
    const out: HeaderField[] = [];
    assert.equal(decode(decoder, peer.block([entry]), out), DecodeResult.LIST_TOO_LARGE);
    assert.deepEqual(out, []);
    assert.equal(decoder.table.get(0)?.value, entry.value);
  });

  it("§4.4 an insertion too large for list and table empties the table without being made", () => {
    for (const text of ["a", "\x01"]) {
      const decoder = createDecoder(100, 100);
      decode(decoder, new Peer().block([field("x", "1")]));
      assert.equal(decoder.table.length, 1);
      const block = new Peer().block([field("x", text.repeat(9000), Indexing.WITHOUT)]);
      block[0] = 0x40;
      assert.equal(decode(decoder, block), DecodeResult.LIST_TOO_LARGE);
      assert.equal(decoder.table.length, 0);
    }
  });

  it("a Huffman string that only exceeds the cap once decoded is too large", () => {
    const packed = new Peer().block([field("x", "0".repeat(1500), Indexing.WITHOUT)]);
    assert.ok(packed.length < 1000);
    assert.equal(decode(createDecoder(1000, 10), packed), DecodeResult.LIST_TOO_LARGE);
    assert.equal(decode(createDecoder(1533, 10), packed), DecodeResult.OK);
  });

  it("a literal past the cap that the table does not take is skipped unread, one that it takes is not", () => {
    const large = new Peer().block([field("x", "a".repeat(300), Indexing.WITHOUT)]);
    const malformedHuffman = "01788118";
    for (const [pattern, result] of [
      ["00", DecodeResult.LIST_TOO_LARGE],
      ["10", DecodeResult.LIST_TOO_LARGE],
      ["40", DecodeResult.COMPRESSION_ERROR],
    ] as const) {
      const block = Buffer.concat([large, Buffer.from(pattern + malformedHuffman, "hex")]);
      assert.equal(decode(createDecoder(100, 10), block), result);
    }
  });

  it("§4.3 a malformed index after the cap is still a COMPRESSION_ERROR", () => {
    const block = Buffer.concat([new Peer().block([field("x", "a".repeat(300), Indexing.WITHOUT)]), Buffer.of(0xbe)]);
    const out: HeaderField[] = [];
    assert.equal(decode(createDecoder(100, 10), block, out), DecodeResult.COMPRESSION_ERROR);
  });
});

describe("the cap on a list's fields", () => {
  const tiny = Buffer.alloc(16_384, 0x82);

  it("16,384 one-octet fields stop at the cap (CVE-2026-49975)", () => {
    const decoder = createDecoder(NO_CAP, 128);
    const out: HeaderField[] = [];
    assert.equal(decode(decoder, tiny, out), DecodeResult.TOO_MANY_FIELDS);
    assert.equal(out.length, 128);
    assert.match(decoder.lastError, /more than 128 fields/);
  });

  it("without the cap all of them are fields", () => {
    const out: HeaderField[] = [];
    assert.equal(decode(createDecoder(NO_CAP, NO_CAP), tiny, out), DecodeResult.OK);
    assert.equal(out.length, 16_384);
  });

  it("exactly as many as the cap are accepted", () => {
    assert.equal(decode(createDecoder(NO_CAP, 128), tiny.subarray(0, 128)), DecodeResult.OK);
    assert.equal(decode(createDecoder(NO_CAP, 128), tiny.subarray(0, 129)), DecodeResult.TOO_MANY_FIELDS);
  });

  it("the cap that is exceeded first is the one that is named", () => {
    const small = field("a", "", Indexing.WITHOUT);
    const large = field("b", "\x01".repeat(2000), Indexing.WITHOUT);
    assert.equal(decode(createDecoder(1000, 1), new Peer().block([small, small, large])), DecodeResult.TOO_MANY_FIELDS);
    assert.equal(decode(createDecoder(1000, 1), new Peer().block([small, large, small])), DecodeResult.LIST_TOO_LARGE);
  });

  it("each empty cookie crumb counts, and the table stays in step", () => {
    const peer = new Peer();
    const decoder = createDecoder(NO_CAP, 128);
    const crumbs = Array.from({ length: 200 }, () => field("cookie", "", Indexing.WITHOUT));
    const last = field("last", "inserted");
    assert.equal(decode(decoder, peer.block([...crumbs, last])), DecodeResult.TOO_MANY_FIELDS);
    expectInStep(decoder, peer, last);
  });
});
