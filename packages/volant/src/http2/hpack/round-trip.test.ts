/** Encoder and decoder as peers: whatever is sent arrives, and the tables agree after every block. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DecodeResult, type HeaderField, HpackDecoder, HpackEncoder, Indexing, type OutboundField } from "./index.ts";

const octets = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));

/** Few names and values, so that they meet again in the tables, and some that never do. */
const name = fc.oneof(
  fc.constantFrom(":method", ":path", ":status", "cookie", "authorization", "x-a", "x-b", "grpc-timeout"),
  octets(40),
);
const value = fc.oneof(fc.constantFrom("", "GET", "/", "200", "1", "2", "3"), octets(60), octets(600));
const field: fc.Arbitrary<OutboundField> = fc.record({
  name,
  value,
  indexing: fc.constantFrom(...Object.values(Indexing)),
});
const list = fc.array(field, { maxLength: 20 });
const tableBytes = fc.oneof(
  fc.constantFrom(0, 64, 4096),
  fc.integer({ min: 100, max: 400 }),
  fc.integer({ min: 0, max: 10_000 }),
);

class Link {
  readonly encoder: HpackEncoder;
  readonly decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 2 ** 24, maxFields: 10_000 });

  constructor(encoderCap: number) {
    this.encoder = new HpackEncoder(encoderCap);
  }

  /** The decoder's side changed SETTINGS_HEADER_TABLE_SIZE, and the encoder's side acknowledged it. */
  agreeOn(bytes: number): void {
    this.encoder.setPeerTableBytes(bytes);
    this.decoder.setMaxTableBytes(bytes);
  }

  send(fields: readonly OutboundField[]): HeaderField[] {
    const bound = this.encoder.sizeBound(fields);
    const target = Buffer.alloc(bound + 2, 0xa5);
    const end = this.encoder.encode(fields, target, 1);
    assert.ok(end - 1 <= bound, `${end - 1} octets, bound ${bound}`);
    assert.deepEqual([target[0], target[bound + 1]], [0xa5, 0xa5]);
    const out: HeaderField[] = [];
    assert.equal(this.decoder.decode(target, 1, end, out), DecodeResult.OK, this.decoder.lastError);
    return out;
  }

  assertTablesAgree(): void {
    const { table: sent } = this.encoder;
    const { table: received } = this.decoder;
    assert.equal(sent.bytes, received.bytes);
    assert.equal(sent.length, received.length);
    for (let age = 0; age < sent.length; age++) {
      assert.deepEqual(
        [sent.get(age)?.name, sent.get(age)?.value],
        [received.get(age)?.name, received.get(age)?.value],
      );
    }
  }
}

function assertSame(received: readonly HeaderField[], sent: readonly OutboundField[]): void {
  assert.deepEqual(
    received.map(({ name, value, sensitive }) => ({ name, value, sensitive })),
    sent.map(({ name, value, indexing }) => ({ name, value, sensitive: indexing === Indexing.NEVER })),
  );
}

describe("encode and decode", () => {
  it("§4.2 are inverse under any table sizes, and the tables agree after every block", () => {
    const step = fc.oneof({ weight: 3, arbitrary: list }, { weight: 1, arbitrary: tableBytes });
    fc.assert(
      fc.property(tableBytes, fc.array(step, { maxLength: 30 }), (encoderCap, steps) => {
        const link = new Link(encoderCap);
        for (const each of steps) {
          if (typeof each === "number") {
            link.agreeOn(each);
          } else {
            assertSame(link.send(each), each);
            link.assertTablesAgree();
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("§3.1 give the same fields however they are split into blocks", () => {
    fc.assert(
      fc.property(list, fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 6 }), (fields, cuts) => {
        const link = new Link(4096);
        const edges = [0, ...cuts.map((cut) => Math.min(cut, fields.length)), fields.length].sort((a, b) => a - b);
        const parts = edges.slice(1).map((edge, at) => fields.slice(edges[at], edge));
        assertSame(
          parts.flatMap((part) => link.send(part)),
          fields,
        );
        link.assertTablesAgree();
      }),
    );
  });

  it("§3.2 stay in step when every list exceeds the decoder's caps", () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 10 }), fc.nat(200), fc.nat(5), (lists, maxListBytes, maxFields) => {
        const encoder = new HpackEncoder(4096);
        const capped = new HpackDecoder({ maxTableBytes: 4096, maxListBytes, maxFields });
        const open = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 2 ** 24, maxFields: 10_000 });
        const out: HeaderField[] = [];
        for (const fields of lists) {
          const target = Buffer.alloc(encoder.sizeBound(fields));
          const end = encoder.encode(fields, target, 0);
          assert.notEqual(capped.decode(target, 0, end, out), DecodeResult.COMPRESSION_ERROR, capped.lastError);
          assertSame(out, fields.slice(0, out.length));
          assert.equal(open.decode(target, 0, end, []), DecodeResult.OK);
          const held = (decoder: HpackDecoder) =>
            Array.from({ length: decoder.table.length }, (_, age) => decoder.table.get(age));
          assert.deepEqual(held(capped), held(open));
        }
      }),
      { numRuns: 300 },
    );
  });
});
