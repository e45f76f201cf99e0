/** gRPC PROTOCOL-HTTP2 "Length-Prefixed-Message": what a stream accepts, and what it gives back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resolveCompressionOptions } from "../compression/options.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { BufferBudget } from "./buffer-budget.ts";
import { Inbound } from "./inbound.ts";

/** User code may be part of decoding. */
let whileDecoding: (() => void) | undefined;

const codec = {
  decode(bytes: Buffer, start: number, end: number): string {
    const text = bytes.toString("latin1", start, end);
    whileDecoding?.();
    if (text.startsWith("!")) throw new Error("not a message");
    return text;
  },
} as unknown as MessageCodec<unknown, unknown>;

function setUp({
  maxMessageBytes = 1_000,
  budget = new BufferBudget(10_000),
  onMessage,
}: {
  maxMessageBytes?: number;
  budget?: BufferBudget;
  onMessage?: (inbound: Inbound, message: string, cost: number) => void;
} = {}) {
  const log: string[] = [];
  const flow = { consumed: 0, expected: [] as number[] };
  const http2 = {
    consume: (_stream: Http2Stream, bytes: number) => {
      flow.consumed += bytes;
    },
    expect: (_stream: Http2Stream, bytes: number) => flow.expected.push(bytes),
  } as unknown as Http2Connection;
  const inbound: Inbound = new Inbound(
    http2,
    {} as Http2Stream,
    codec,
    { maxMessageBytes, budget, aheadBytes: 32_768, compression: resolveCompressionOptions() },
    {
      onMessage(message, cost) {
        log.push(`${message} ${cost}`);
        if (onMessage === undefined) inbound.taken(cost);
        else onMessage(inbound, message as string, cost);
      },
      onInboundFault: (code, text) => log.push(`${code}: ${text}`),
      countFault: () => undefined,
      onInboundDrained: () => log.push("drained"),
    },
  );
  return { log, flow, budget, inbound, receive: (bytes: Buffer) => inbound.receive(bytes, 0, bytes.length) };
}

function framed(text: string, flag = 0, length = text.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, Buffer.from(text, "latin1")]);
}

test("messages of one chunk are handed over with the octets they took", () => {
  const { log, flow, inbound, receive } = setUp();
  receive(Buffer.concat([framed("a"), framed(""), framed("bcd")]));
  assert.deepEqual(log, ["a 6", " 5", "bcd 8"]);
  assert.equal(flow.consumed, 19);
  assert.equal(inbound.isAtBoundary, true);
  assert.deepEqual(flow.expected, []);
});

test("the rest of a message is granted once its prefix was accepted, and no sooner", () => {
  const { flow, budget, receive, log } = setUp();
  const bytes = framed("x".repeat(500));
  receive(bytes.subarray(0, 4));
  assert.deepEqual(flow.expected, []);
  receive(bytes.subarray(4, 105));
  assert.deepEqual(flow.expected, [400]);
  assert.equal(budget.usedBytes, 500);
  receive(bytes.subarray(105, 200));
  assert.deepEqual(flow.expected, [400], "it is granted once");
  receive(bytes.subarray(200));
  assert.equal(log.length, 1);
  assert.equal(budget.usedBytes, 0);
  assert.equal(flow.consumed, 505);
});

test("the budget is held until the message is taken, so that a slow handler counts", () => {
  const costs: number[] = [];
  const { budget, receive, inbound, flow } = setUp({ onMessage: (_inbound, _message, cost) => costs.push(cost) });
  for (const text of ["x".repeat(300), "y".repeat(200)]) {
    const bytes = framed(text);
    receive(bytes.subarray(0, 50));
    receive(bytes.subarray(50));
  }
  assert.equal(budget.usedBytes, 500);
  assert.equal(flow.consumed, 0);
  inbound.taken(costs[0]!);
  assert.ok(budget.usedBytes <= 200);
  inbound.taken(costs[1]!);
  assert.equal(budget.usedBytes, 0);
  assert.equal(flow.consumed, 510);
});

test("when the budget is spent the newest message is refused, and the older one still arrives", () => {
  const budget = new BufferBudget(600);
  const older = setUp({ budget });
  const newer = setUp({ budget });
  const bytes = framed("x".repeat(400));
  older.receive(bytes.subarray(0, 100));
  newer.receive(bytes.subarray(0, 100));
  assert.match(newer.log[0]!, /^8: too many large messages/);
  older.receive(bytes.subarray(100));
  assert.equal(older.log.length, 1);
  assert.equal(budget.usedBytes, 0);
});

test("a message above the limit is refused at its prefix; one of exactly the limit is not", () => {
  const { log, receive } = setUp({ maxMessageBytes: 10 });
  receive(framed("x".repeat(10)));
  assert.equal(log.length, 1);
  receive(framed("", 0, 11));
  assert.match(log[1]!, /^8: a message of 11 bytes is larger than the 10 bytes that are allowed/);
});

test("a declared length of 4 GiB holds nothing", () => {
  const { log, receive, budget, flow } = setUp();
  receive(framed("", 0, 0xffff_ffff));
  assert.match(log[0]!, /^8: a message of 4294967295 bytes/);
  assert.equal(budget.usedBytes, 0);
  assert.deepEqual(flow.expected, []);
});

test("a compressed message without grpc-encoding, and a flag that does not exist, are refused", () => {
  for (const [flag, text] of [
    [1, /flagged as compressed/],
    [2, /illegal flag 2/],
    [255, /illegal flag 255/],
  ] as const) {
    const { log, receive } = setUp();
    receive(framed("a", flag));
    assert.equal(log.length, 1);
    assert.match(log[0]!, text);
    assert.match(log[0]!, /^13: /);
  }
});

test("a message that does not decode is a fault, with its octets given back", () => {
  const { log, flow, receive } = setUp();
  receive(Buffer.concat([framed("!bad"), framed("next")]));
  assert.deepEqual(log, ["13: a message cannot be decoded: not a message"]);
  assert.equal(flow.consumed, 9 + 9);
});

test("a stream that ends inside a prefix or a body is not at a boundary", () => {
  const { inbound, receive } = setUp();
  assert.equal(inbound.isAtBoundary, true);
  receive(framed("abc").subarray(0, 3));
  assert.equal(inbound.isAtBoundary, false);
  receive(framed("abc").subarray(3, 7));
  assert.equal(inbound.isAtBoundary, false);
  receive(framed("abc").subarray(7));
  assert.equal(inbound.isAtBoundary, true);
});

test("stopping gives back every octet that is no message yet, and the budget; what comes later is given back too", () => {
  const { inbound, receive, flow, budget } = setUp();
  receive(Buffer.concat([framed("a"), framed("x".repeat(500)).subarray(0, 300)]));
  assert.equal(flow.consumed, 6);
  inbound.stop();
  inbound.stop();
  assert.equal(flow.consumed, 306);
  assert.equal(budget.usedBytes, 0);
  receive(Buffer.alloc(50));
  assert.equal(flow.consumed, 356);
  assert.equal(inbound.isAtBoundary, true);
});

test("an owner may stop inside onMessage: the rest of the chunk is given back, not delivered", () => {
  const { log, flow, receive } = setUp({
    onMessage: (inbound, _message, cost) => {
      inbound.stop();
      inbound.taken(cost);
    },
  });
  receive(Buffer.concat([framed("a"), framed("b"), framed("c").subarray(0, 3)]));
  assert.deepEqual(log, ["a 6"]);
  assert.equal(flow.consumed, 15);
});

test("a stream that is stopped while a message is decoded gives each octet back once, and delivers nothing", (t) => {
  const { log, flow, inbound, receive } = setUp();
  t.after(() => {
    whileDecoding = undefined;
  });
  whileDecoding = () => inbound.stop();
  receive(Buffer.concat([framed("a"), framed("b")]));
  assert.deepEqual([log, flow.consumed], [[], 12]);
});

test("however a body is cut, the same messages come and every octet is given back once", () => {
  const texts = fc.array(fc.string({ unit: "binary-ascii", maxLength: 60 }), { maxLength: 12 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(40)), (all, cuts) => {
      const messages = all.filter((text) => !text.startsWith("!"));
      const body = Buffer.concat(messages.map((text) => framed(text)));
      const { log, flow, budget, receive, inbound } = setUp();
      let at = 0;
      for (const cut of [...cuts, body.length]) {
        receive(body.subarray(at, Math.min(at + cut, body.length)));
        at = Math.min(at + cut, body.length);
      }
      assert.deepEqual(
        log,
        messages.map((text) => `${text} ${text.length + 5}`),
      );
      assert.equal(flow.consumed, body.length);
      assert.equal(budget.usedBytes, 0);
      assert.equal(inbound.isAtBoundary, true);
    }),
  );
});
