/** gRPC PROTOCOL-HTTP2 "Length-Prefixed-Message": what a stream accepts, and what it gives back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resolveCompressionOptions } from "../compression/options.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { SharedBudget } from "./buffer-budget.ts";
import { Inbound } from "./inbound.ts";
import { limitsOfPeer } from "./inbound-limits.ts";

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
  budget = new SharedBudget(10_000),
  peer = "192.0.2.1",
  onMessage,
}: {
  maxMessageBytes?: number;
  budget?: SharedBudget;
  peer?: string;
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
  const limits = {
    owner: "server" as const,
    maxMessageBytes,
    budget,
    aheadBytes: 32_768,
    compression: resolveCompressionOptions(),
  };
  const inbound: Inbound = new Inbound(http2, {} as Http2Stream, codec, limitsOfPeer(limits, peer), {
    onMessage(message, cost) {
      log.push(`${message} ${cost}`);
      if (onMessage === undefined) inbound.taken(cost);
      else onMessage(inbound, message as string, cost);
    },
    onInboundFault: (code, text) => log.push(`${code}: ${text}`),
    countFault: () => undefined,
    onInboundDrained: () => log.push("drained"),
  });
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

test("a length that is only declared holds nothing: a hundred such messages refuse nobody", () => {
  const budget = new SharedBudget(1_000);
  const attackers = Array.from({ length: 100 }, () => setUp({ budget }));
  for (const { receive } of attackers) receive(framed("", 0, 1_000));
  assert.equal(budget.usedBytes, 0);
  for (const peer of ["192.0.2.1", "192.0.2.2"]) {
    const { receive, log } = setUp({ budget, peer });
    const bytes = framed("x".repeat(1_000));
    receive(bytes.subarray(0, 300));
    receive(bytes.subarray(300));
    assert.equal(log[0]?.length, 1_000 + " 1005".length);
  }
  assert.deepEqual(attackers.map(({ log }) => log.length).filter(Boolean), []);
  for (const { inbound } of attackers) inbound.stop();
  assert.deepEqual([budget.usedBytes, budget.promised.usedBytes], [0, 0]);
});

test("what counts is the memory of a message as it grows, never more than twice what arrived and a KiB", () => {
  const { budget, receive } = setUp({ budget: new SharedBudget(1_000_000), maxMessageBytes: 100_000 });
  const bytes = framed("x".repeat(100_000));
  for (let at = 0; at + 1_000 < bytes.length; at += 1_000) {
    receive(bytes.subarray(at, at + 1_000));
    const arrived = at + 1_000 - 5;
    assert.ok(budget.usedBytes >= arrived && budget.usedBytes <= 2 * arrived + 1_024, `${budget.usedBytes} at ${at}`);
  }
});

test("when the octets of a message find no room it is refused, and gives its room to those under way", () => {
  const budget = new SharedBudget(20_000);
  const limits = { budget, maxMessageBytes: 20_000 };
  const older = setUp(limits);
  const newer = setUp({ ...limits, peer: "192.0.2.2" });
  const bytes = framed("x".repeat(15_000));
  older.receive(bytes.subarray(0, 6_005));
  newer.receive(bytes.subarray(0, 5_005));
  assert.match(newer.log[0]!, /^8: too many large messages/);
  assert.equal(newer.inbound.isInMessage, false);
  older.receive(bytes.subarray(6_005));
  assert.equal(older.log[0]?.length, 15_000 + " 15005".length);
  assert.equal(budget.usedBytes, 0);
});

test("a message that finds no room for its last octets is refused too", () => {
  const { log, flow, budget, receive } = setUp({ budget: new SharedBudget(2_000), maxMessageBytes: 3_000 });
  const bytes = framed("x".repeat(2_500));
  receive(bytes.subarray(0, 505));
  receive(Buffer.concat([bytes.subarray(505), framed("next")]));
  assert.deepEqual(log, [
    "8: too many large messages are under way: those of the server may hold 2000 bytes together, and one peer a share of that; " +
      "try again later, or raise maxBufferedBytes of the server",
  ]);
  assert.deepEqual([budget.usedBytes, flow.consumed], [0, bytes.length + 9]);
});

test("one peer holds about half of the budget, however many messages it sends; another peer's still arrives", () => {
  const budget = new SharedBudget(1_000_000);
  const limits = { budget, maxMessageBytes: 50_000 };
  const bytes = framed("x".repeat(50_000));
  const greedy = Array.from({ length: 100 }, () => setUp(limits));
  for (const { receive } of greedy) receive(bytes.subarray(0, 49_000));
  assert.ok(budget.usedBytes >= 450_000 && budget.usedBytes <= 550_000, `${budget.usedBytes} are held`);
  const others = Array.from({ length: 4 }, () => setUp({ ...limits, peer: "192.0.2.2" }));
  for (const { receive } of others) receive(bytes.subarray(0, 49_000));
  for (const { receive } of others) receive(bytes.subarray(49_000));
  assert.deepEqual(
    others.map(({ log }) => log[0]?.startsWith("xxx")),
    [true, true, true, true],
  );
});

test("a message alone may be as large as the whole budget", () => {
  const { log, receive } = setUp({ budget: new SharedBudget(50_000), maxMessageBytes: 50_000 });
  const bytes = framed("x".repeat(50_000));
  for (let at = 0; at < bytes.length; at += 1_000) receive(bytes.subarray(at, at + 1_000));
  assert.match(log[0]!, /^x/);
});

test("window is granted whole while a peer's share of promises lasts, and then in steps that lead to the end", () => {
  const budget = new SharedBudget(1_000_000);
  const limits = { budget, maxMessageBytes: 400_000 };
  const declare = (): number[] => {
    const { receive, flow } = setUp(limits);
    receive(framed("", 0, 400_000));
    return flow.expected;
  };
  assert.deepEqual([declare(), declare(), declare()], [[400_000], [65_536], [65_536]]);
  const other = setUp({ ...limits, peer: "192.0.2.2" });
  other.receive(framed("", 0, 300_000));
  assert.deepEqual(other.flow.expected, [300_000], "another peer's promises are not used up");
  other.inbound.stop();
  assert.equal(budget.promised.usedBytes, 400_000);
});

test("RFC 9113 §6.9 a sender that keeps to what it is granted can always send its message whole", () => {
  const lengths = fc.integer({ min: 1, max: 300_000 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 70_000 }), fc.boolean(), (length, chunkBytes, isShareSpent) => {
      const budget = new SharedBudget(1_000_000);
      const limits = { budget, maxMessageBytes: 1_000_000 };
      if (isShareSpent) setUp(limits).receive(framed("", 0, 1_000_000));
      const { log, flow, receive, inbound } = setUp(limits);
      const bytes = framed("x".repeat(length));
      // The window that there is without grants: the prefix and nothing else.
      let open = 5;
      for (let at = 0; at < bytes.length; ) {
        assert.ok(open > 0, `stuck after ${at} octets of ${bytes.length}`);
        const end = Math.min(bytes.length, at + Math.min(open, chunkBytes));
        receive(bytes.subarray(at, end));
        open -= end - at;
        at = end;
        open = Math.max(open, ...flow.expected.splice(0));
      }
      assert.deepEqual([log.length, inbound.isAtBoundary], [1, true]);
    }),
  );
});

test("a stream that was stopped inside a message waits for nothing of it", () => {
  const { inbound, receive, budget } = setUp();
  receive(framed("x".repeat(500)).subarray(0, 300));
  assert.equal(inbound.isInMessage, true);
  inbound.stop();
  assert.equal(inbound.isInMessage, false);
  receive(framed("x".repeat(500)).subarray(300));
  assert.deepEqual([inbound.isInMessage, budget.usedBytes, budget.promised.usedBytes], [false, 0, 0]);
});

test("a message above the limit is refused at its prefix; one of exactly the limit is not", () => {
  const { log, receive } = setUp({ maxMessageBytes: 10 });
  receive(framed("x".repeat(10)));
  assert.equal(log.length, 1);
  receive(framed("", 0, 11));
  assert.match(
    log[1]!,
    /^8: a message of 11 bytes is larger than the 10 bytes that the server accepts; send less at a time, or raise maxReceiveMessageBytes/,
  );
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
