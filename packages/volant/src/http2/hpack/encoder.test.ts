import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../usage-error.ts";
import {
  DecodeResult,
  encodeStaticBlock,
  type HeaderField,
  HpackDecoder,
  HpackEncoder,
  Indexing,
  type OutboundField,
} from "./index.ts";

function field(name: string, value: string, indexing: Indexing = Indexing.INCREMENTAL): OutboundField {
  return { name, value, indexing };
}

function encode(encoder: HpackEncoder, ...fields: OutboundField[]): string {
  const target = Buffer.alloc(encoder.sizeBound(fields));
  return target.toString("hex", 0, encoder.encode(fields, target, 0));
}

const METHOD_GET = field(":method", "GET");

describe("representations", () => {
  it("§6.1 a field in a table is sent as its index, unless it must never be indexed", () => {
    const encoder = new HpackEncoder(4096);
    assert.equal(encode(encoder, METHOD_GET), "82");
    assert.equal(encode(encoder, field("a", "\x01")), "4001610101");
    for (const indexing of [Indexing.INCREMENTAL, Indexing.WITHOUT]) {
      assert.equal(encode(encoder, field("a", "\x01", indexing)), "be");
    }
    assert.equal(encode(encoder, field("a", "\x01", Indexing.NEVER)), "1f2f0101");
  });

  it("§6.2.2 WITHOUT leaves the table alone", () => {
    const encoder = new HpackEncoder(4096);
    assert.equal(encode(encoder, field(":path", "\x01\x02", Indexing.WITHOUT)), "04020102");
    assert.equal(encoder.table.length, 0);
  });

  it("§6.2.3 NEVER is a literal with its name's index, even where a table has the field", () => {
    const encoder = new HpackEncoder(4096);
    assert.equal(encode(encoder, field("authorization", "\x01", Indexing.NEVER)), "1f080101");
    assert.equal(encode(encoder, field("authorization", "", Indexing.NEVER)), "1f0800");
    assert.equal(encoder.table.length, 0);
  });

  it("a name's newest entry serves new values", () => {
    const encoder = new HpackEncoder(4096);
    encode(encoder, field("a", "1"), field("b", "1"), field("a", "2"));
    assert.equal(encode(encoder, field("b", "\x01", Indexing.WITHOUT)), "0f300101");
    assert.equal(encode(encoder, field("a", "\x01", Indexing.WITHOUT)), "0f2f0101");
  });

  it("§4.4 a field larger than the table is not inserted", () => {
    const encoder = new HpackEncoder(64);
    encode(encoder, field("a", "1"));
    const block = encode(encoder, field("x", "y".repeat(32)));
    assert.equal(block.slice(0, 2), "00");
    assert.equal(encoder.table.length, 1);
    assert.equal(encode(encoder, field("x", "y".repeat(31))).slice(0, 2), "40");
    assert.equal(encoder.table.length, 1);
  });

  it("an evicted value is forgotten while its name stays", () => {
    const encoder = new HpackEncoder(70);
    encode(encoder, field("a", "\x01"), field("a", "\x02"), field("a", "\x03"));
    assert.equal(encode(encoder, field("a", "\x01", Indexing.WITHOUT)), "0f2f0101");
    assert.equal(encode(encoder, field("a", "\x02", Indexing.WITHOUT)), "bf");
  });

  it("an evicted field is sent in full again", () => {
    const encoder = new HpackEncoder(70);
    encode(encoder, field("a", "\x01"), field("b", "\x01"));
    assert.equal(encode(encoder, field("b", "\x01")), "be");
    encode(encoder, field("c", "\x01"));
    encode(encoder, field("d", "\x01"));
    assert.equal(encode(encoder, field("b", "\x01", Indexing.WITHOUT)), "0001620101");
  });
});

describe("the bound", () => {
  it("holds for fields that take the most", () => {
    const encoder = new HpackEncoder(4096);
    encoder.setPeerTableBytes(0);
    encoder.setPeerTableBytes(4096);
    const fields = [1, 126, 127, 128, 255, 16_511, 70_000].flatMap((length) =>
      [0, 1, 2].map((at) => field(`\x01${at}`.repeat(length), "\x02".repeat(length), Indexing.NEVER)),
    );
    const bound = encoder.sizeBound(fields);
    const target = Buffer.alloc(bound * 2);
    const octets = encoder.encode(fields, target, 0);
    assert.ok(octets <= bound && octets > fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0));
  });
});

describe("size updates", () => {
  it("§4.2 a smaller peer table is announced once, with the next block", () => {
    const encoder = new HpackEncoder(4096);
    encoder.setPeerTableBytes(100);
    assert.equal(encoder.isSizeUpdateDue, true);
    assert.equal(encode(encoder, METHOD_GET), "3f4582");
    assert.equal(encoder.isSizeUpdateDue, false);
    assert.equal(encode(encoder, METHOD_GET), "82");
  });

  it("§4.2 down and up again: the smallest, then the last", () => {
    const encoder = new HpackEncoder(4096);
    encode(encoder, field("a", "1"));
    for (const bytes of [2000, 0, 1000]) encoder.setPeerTableBytes(bytes);
    assert.equal(encode(encoder, METHOD_GET), "203fc90782");
    assert.deepEqual([encoder.table.length, encoder.table.maxBytes], [0, 1000]);
  });

  it("§4.2 a peer's larger table is used up to the cap", () => {
    const encoder = new HpackEncoder(4096);
    encoder.setPeerTableBytes(100);
    encode(encoder);
    encoder.setPeerTableBytes(1_000_000);
    assert.equal(encode(encoder), "3fe11f");
    assert.equal(encoder.table.maxBytes, 4096);
  });

  it("§4.2 nothing is announced when nothing changes", () => {
    const encoder = new HpackEncoder(4096);
    for (const bytes of [4096, 65_536]) encoder.setPeerTableBytes(bytes);
    assert.equal(encoder.isSizeUpdateDue, false);
  });

  it("§4.2 a cap below the initial size is announced", () => {
    assert.equal(encode(new HpackEncoder(0), METHOD_GET, field("a", "\x01")), "20820001610101");
  });

  it("updates can be written alone, in front of a static block", () => {
    const encoder = new HpackEncoder(4096);
    encoder.setPeerTableBytes(0);
    const target = Buffer.alloc(10);
    assert.equal(target.toString("hex", 0, encoder.writeSizeUpdates(target, 0)), "20");
    assert.equal(encoder.writeSizeUpdates(target, 5), 5);
  });
});

describe("misuse", () => {
  it("a character above 0xFF is refused by name and place, never by value", () => {
    const encoder = new HpackEncoder(4096);
    const isRefused = (part: string) => (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, new RegExp(`^The ${part} of header field "x-.*" has U\\+20AC at position 3;`));
      assert.doesNotMatch(error.message, /sec/);
      return true;
    };
    assert.throws(() => encode(encoder, field("x-a", "sec\u20acret")), isRefused("value"));
    assert.throws(() => encode(encoder, field("x-s\u20ac", "1")), isRefused("name"));
    assert.throws(() => encodeStaticBlock([field("x-a", "sec\u20acret")]), isRefused("value"));
  });

  it("a block that failed leaves both tables in step", () => {
    const encoder = new HpackEncoder(4096);
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 4096, maxFields: 10 });
    const out: HeaderField[] = [];
    const deliver = (...fields: OutboundField[]): void => {
      const block = Buffer.from(encode(encoder, ...fields), "hex");
      assert.equal(decoder.decode(block, 0, block.length, out), DecodeResult.OK, decoder.lastError);
      assert.deepEqual(
        out.map(({ name, value }) => [name, value]),
        fields.map(({ name, value }) => [name, value]),
      );
    };
    deliver(field("a", "1"), field("b", "2"));
    assert.throws(() => encode(encoder, field("c", "3"), field("d", "\u20ac")), UsageError);
    deliver(field("b", "2"), field("c", "3"));
    encoder.setPeerTableBytes(100);
    assert.throws(() => encode(encoder, field("d", "\u20ac")), UsageError);
    decoder.setMaxTableBytes(100);
    deliver(field("b", "2"), field("c", "3"), field("b", "2"));
    assert.equal(decoder.table.length, encoder.table.length);
  });

  it("a target that is too small is refused", () => {
    const encoder = new HpackEncoder(4096);
    assert.throws(() => encoder.encode([METHOD_GET, METHOD_GET], Buffer.alloc(1), 0), /needs 2 octets, but .* 1/);
  });
});

describe("static blocks", () => {
  const fields = [
    field(":status", "200"),
    field("content-type", "application/grpc"),
    field("grpc-status", "0"),
    field("authorization", "secret", Indexing.NEVER),
  ];

  it("§6.2.2 decode to their fields on any connection and touch no table", () => {
    const block = encodeStaticBlock(fields);
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 4096, maxFields: 10 });
    const warmUp = Buffer.from(encode(new HpackEncoder(4096), field("grpc-status", "0")), "hex");
    const out: HeaderField[] = [];
    decoder.decode(warmUp, 0, warmUp.length, out);
    assert.equal(decoder.decode(block, 0, block.length, out), DecodeResult.OK);
    assert.deepEqual(
      out.map(({ name, value, sensitive }) => [name, value, sensitive]),
      fields.map(({ name, value, indexing }) => [name, value, indexing === Indexing.NEVER]),
    );
    assert.equal(decoder.table.length, 1);
  });

  it("are a copy of their own, not a view on shared memory", () => {
    const block = encodeStaticBlock(fields);
    assert.equal(block.buffer.byteLength, block.length);
    assert.equal(encodeStaticBlock([]).length, 0);
  });
});
