import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeResult } from "./decode-result.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import type { HeaderField } from "./field.ts";
import { Indexing, type OutboundField } from "./outbound-field.ts";

const field = (name: string, value: string, indexing: number = Indexing.INCREMENTAL): OutboundField =>
  Object.freeze({ name, value, indexing }) as OutboundField;

const list = (...fields: OutboundField[]): readonly OutboundField[] => Object.freeze(fields);

const METHODS = [1, 2, 3].map((at) =>
  list(field(":method", "POST"), field(":path", `/s/M${at}`), field("te", "trailers"), field("user-agent", "u")),
);

class Pair {
  readonly encoder = new HpackEncoder(4_096);
  readonly decoder = new HpackDecoder({ maxTableBytes: 4_096, maxListBytes: 16_384, maxFields: 128 });
  private readonly target = Buffer.alloc(4_096);

  /** What the peer reads, and how many bytes it took. */
  send(fields: readonly OutboundField[]): { read: string[]; bytes: number } {
    const end = this.encoder.encode(fields, this.target, 3);
    assert.ok(end - 3 <= this.encoder.sizeBound(fields));
    const read: HeaderField[] = [];
    assert.equal(this.decoder.decode(this.target, 3, end, read), DecodeResult.OK);
    return { read: read.map(({ name, value }) => `${name}=${value}`), bytes: end - 3 };
  }

  check(fields: readonly OutboundField[]): number {
    const { read, bytes } = this.send(fields);
    assert.deepEqual(
      read,
      fields.map(({ name, value }) => `${name}=${value}`),
    );
    return bytes;
  }
}

test("frozen lists that repeat are read right, between insertions, size updates and other lists", () => {
  const pair = new Pair();
  for (let round = 0; round < 40; round++) {
    for (const fields of METHODS) for (let times = 0; times < 3; times++) pair.check(fields);
    if (round % 3 === 0) pair.check(list(field(`x-${round}`, "inserted")));
    if (round % 7 === 0) pair.check([field("x-secret", `${round}`, Indexing.NEVER)]);
    if (round % 11 === 5) pair.encoder.setPeerTableBytes(0);
    if (round % 11 === 6) pair.encoder.setPeerTableBytes(4_096);
    if (round % 11 === 7) {
      pair.encoder.setPeerTableBytes(60);
      pair.encoder.setPeerTableBytes(4_096);
    }
  }
});

test("a list that is all in the tables takes a byte a field, however often it is sent", () => {
  const pair = new Pair();
  pair.check(METHODS[0]!);
  for (let times = 0; times < 5; times++) assert.equal(pair.check(METHODS[0]!), METHODS[0]!.length);
});

test("a list that is not frozen may change between two blocks", () => {
  const pair = new Pair();
  const fields = [field("x-a", "1"), field("x-b", "1")];
  for (let times = 0; times < 3; times++) pair.check(fields);
  fields[1] = field("x-a", "1");
  pair.check(fields);
  fields.pop();
  pair.check(fields);
});

test("more lists than are remembered are encoded as ever", () => {
  const pair = new Pair();
  const many = Array.from({ length: 50 }, (_, at) => list(field(":method", "GET"), field("x-n", `${at}`)));
  for (let round = 0; round < 3; round++) for (const fields of many) pair.check(fields);
});

test("a block that fails halfway is forgotten, and so is what was remembered", () => {
  const pair = new Pair();
  for (let times = 0; times < 3; times++) pair.check(METHODS[0]!);
  assert.throws(() => pair.send(list(field("x-new", "v"), field("x-bad", "\u4e00"))));
  for (let times = 0; times < 3; times++) pair.check(METHODS[0]!);
});
