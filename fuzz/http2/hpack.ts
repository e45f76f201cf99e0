/**
 * HPACK: what is encoded arrives and the tables of both ends agree; whatever else is decoded ends in a verdict, within its
 * caps, and the table stays a table. RFC 7541 §4, §5, §6.
 */
import assert from "node:assert/strict";
import type { HeaderField, HpackDecoder, OutboundField } from "../../packages/volant/src/http2/hpack/index.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { type Bugs, type Core, loadCore } from "./core.ts";
import { damage, Random, randomOctets } from "./random-source.ts";

const BUGS: Bugs = {
  "a literal that is too large for list and table leaves the table as it was": {
    file: "hpack/decoder.ts",
    find: "this.table.clear();",
    replace: "this.table.bytes;",
  },
  "an index of several octets is read as its prefix": {
    file: "hpack/decoder.ts",
    find: "const index = octet < 0xff ? octet & 0x7f : readInteger(cursor, 7);",
    replace: "const index = octet < 0xff ? octet & 0x7f : Math.max(127, readInteger(cursor, 7) - 1);",
  },
  "a literal never to be indexed loses that mark": {
    file: "hpack/decoder.ts",
    find: "pattern >= NEVER_INDEXED_PATTERN",
    replace: "pattern > NEVER_INDEXED_PATTERN",
  },
};

export const hpack: FuzzTarget = { name: "http2-hpack", bugs: Object.keys(BUGS), start };

const NAMES = [":method", ":path", ":status", "cookie", "authorization", "te", "x-a", "x-b", "grpc-timeout", ""];
const VALUES = ["", "GET", "/", "200", "1", "2", "trailers", "gzip, deflate"];
const OPEN_CAPS = { maxListBytes: 1 << 24, maxFields: 1 << 16 };

function randomText(random: Random): string {
  const length = random.pick([1, 5, 30, random.oneIn(8) ? 5_000 : 60]);
  return randomOctets(random, random.below(length + 1)).toString("latin1");
}

function randomFields(random: Random, count: number): OutboundField[] {
  return Array.from({ length: count }, () => ({
    name: random.oneIn(4) ? randomText(random) : random.pick(NAMES),
    value: random.oneIn(3) ? randomText(random) : random.oneIn(3) ? String(random.below(200)) : random.pick(VALUES),
    indexing: random.pick([0, 0, 1, 2] as const),
  }));
}

function tableEntries({ table }: HpackDecoder): HeaderField[] {
  return Array.from({ length: table.length }, (_, age) => table.get(age)!);
}

function assertIsTable(decoder: HpackDecoder): void {
  const bytes = tableEntries(decoder).reduce((sum, { size }) => sum + size, 0);
  assert.equal(decoder.table.bytes, bytes, "the size of the table is the sum of its entries");
  assert.ok(bytes <= decoder.table.maxBytes, "the table is within its maximum");
}

function start(bug?: string): FuzzRun {
  const core = loadCore(BUGS, bug);
  const reached = { blocks: 0, "over a cap": 0, malformed: 0 };
  return {
    execute(seed) {
      const random = new Random(seed);
      if (random.oneIn(2)) roundTrip(core, random, reached);
      else decodeAnything(core, random, reached);
    },
    reached: () => reached,
  };
}

type Reached = { blocks: number; "over a cap": number; malformed: number };

/** Blocks of one connection, with table sizes that change in between, to a peer with caps and to one without. */
function roundTrip({ hpack: { HpackDecoder, HpackEncoder } }: Core, random: Random, reached: Reached): void {
  const encoder = new HpackEncoder(random.pick([0, 64, 300, 4_096, 65_536]));
  const open = new HpackDecoder({ maxTableBytes: 65_536, ...OPEN_CAPS });
  const caps = { maxListBytes: random.pick([100, 1_000, 16_384]), maxFields: random.pick([3, 20, 128]) };
  const capped = new HpackDecoder({ maxTableBytes: 65_536, ...caps });
  for (let block = 1 + random.below(8); block > 0; block--) {
    if (random.oneIn(4)) {
      const bytes = random.pick([0, 63, 64, 200, 4_096, 20_000]);
      encoder.setPeerTableBytes(bytes);
      open.setMaxTableBytes(bytes);
      capped.setMaxTableBytes(bytes);
    }
    const fields = randomFields(random, random.pick([0, 1, 4, random.oneIn(6) ? 300 : 10]));
    const target = Buffer.alloc(encoder.sizeBound(fields));
    const end = encoder.encode(fields, target, 0);
    reached.blocks++;
    const out: HeaderField[] = [];
    assert.equal(open.decode(target, 0, end, out), 0, open.lastError);
    assert.deepEqual(
      out.map(({ name, value, sensitive }) => [name, value, sensitive]),
      fields.map(({ name, value, indexing }) => [name, value, indexing === 2]),
    );
    const admitted: HeaderField[] = [];
    const verdict = capped.decode(target, 0, end, admitted);
    assert.notEqual(verdict, 3, capped.lastError);
    if (verdict !== 0) reached["over a cap"]++;
    assertWithin(admitted, caps);
    assert.deepEqual(admitted, out.slice(0, admitted.length), "a cap cuts the list and changes nothing in it");
    assert.equal(verdict === 0, admitted.length === out.length, "a list is whole unless a cap is named");
    assert.deepEqual(tableEntries(capped), tableEntries(open), "a cap changes nothing in the table");
    assert.equal(encoder.table.bytes, open.table.bytes, "both ends count the same");
    assertIsTable(open);
  }
}

/** Octets that are no block, a block that was damaged, or one that no encoder of ours would make. */
function decodeAnything({ hpack: { HpackDecoder, HpackEncoder } }: Core, random: Random, reached: Reached): void {
  const caps = { maxListBytes: random.pick([100, 16_384]), maxFields: random.pick([3, 128]) };
  const maxTableBytes = random.pick([0, 100, 4_096]);
  const decoder = new HpackDecoder({ maxTableBytes, ...caps });
  const open = new HpackDecoder({ maxTableBytes, ...OPEN_CAPS });
  const encoder = new HpackEncoder(4_096);
  for (let block = 1 + random.below(4); block > 0; block--) {
    const fields = randomFields(random, random.below(8));
    const target = Buffer.alloc(encoder.sizeBound(fields));
    const encoded = target.subarray(0, encoder.encode(fields, target, 0));
    const octets = random.pick([
      () => randomOctets(random, random.below(40)),
      () => damage(random, encoded),
      () => plainLiterals(random),
    ])();
    const out: HeaderField[] = [];
    const isOpenSatisfied = open.decode(octets, 0, octets.length, []) === 0;
    const verdict = decoder.decode(octets, 0, octets.length, out);
    reached.blocks++;
    assert.ok(verdict >= 0 && verdict <= 3, `${verdict} is no verdict`);
    assertWithin(out, caps);
    assertIsTable(decoder);
    // Behind a cap Huffman strings are skipped unread, so what is malformed in them is not seen; the list is refused anyway.
    assert.ok(isOpenSatisfied || verdict !== 0, "a malformed block is not accepted");
    assert.ok(!isOpenSatisfied || verdict !== 3, "no cap makes a block malformed");
    if (isOpenSatisfied) assert.deepEqual(tableEntries(decoder), tableEntries(open), "nor anything in the table");
    if (verdict === 0) continue;
    assert.notEqual(decoder.lastError, "", "a verdict has a reason");
    if (verdict !== 3) reached["over a cap"]++;
    else {
      reached.malformed++;
      assert.equal(out.length, 0, "nothing of a malformed block is handed out");
    }
    if (!isOpenSatisfied) return;
  }
}

/** Inserted whatever their size: an encoder that knows better would not. RFC 7541 §4.4, §6.2.1. */
function plainLiterals(random: Random): Buffer {
  const literals = Array.from({ length: 1 + random.below(4) }, () => {
    const length = random.pick([0, 20, 126, 6_000]);
    const rest = length - 127;
    const size = length < 127 ? [length] : [127, (rest & 0x7f) | 0x80, rest >> 7];
    return Buffer.concat([Buffer.of(0x40, 1, 0x78, ...size), Buffer.alloc(length, "v")]);
  });
  return Buffer.concat(literals);
}

function assertWithin(fields: readonly HeaderField[], caps: { maxListBytes: number; maxFields: number }): void {
  assert.ok(fields.length <= caps.maxFields, "no more fields than allowed");
  assert.ok(fields.reduce((sum, { size }) => sum + size, 0) <= caps.maxListBytes, "no more octets than allowed");
}
