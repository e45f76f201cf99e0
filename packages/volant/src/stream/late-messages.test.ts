/** Compressed messages of one stream: their order, what they hold, and what ends with the stream. gRPC compression.md. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { resolveCompressionOptions } from "../compression/options.ts";
import { compressionThreads } from "../compression/threads.ts";
import type { MessageEncoding } from "../grpc/message-encoding.ts";
import type { MessageCodec } from "../rpc/method.ts";
import { eventually } from "../testing/index.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { SharedBudget } from "./buffer-budget.ts";
import { Inbound } from "./inbound.ts";
import { DEFAULT_AHEAD_BYTES, limitsOfPeer, type PeerLimits } from "./inbound-limits.ts";

const codec = {
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString("latin1", start, end),
} as unknown as MessageCodec<unknown, unknown>;

/** A stream whose reader takes a message when told to. */
function setUp({
  budgetBytes = 10_000_000,
  maxMessageBytes = 1_000_000,
  offLoopBytes = 32_768,
  connection = undefined as PeerLimits | undefined,
} = {}) {
  const log: string[] = [];
  const costs: number[] = [];
  let consumed = 0;
  const http2 = {
    consume: (_stream: Http2Stream, bytes: number) => {
      consumed += bytes;
    },
    expect: () => undefined,
  } as unknown as Http2Connection;
  const compression = resolveCompressionOptions({ offLoopBytes });
  const budget = new SharedBudget(budgetBytes);
  const own = { owner: "server" as const, maxMessageBytes, budget, aheadBytes: DEFAULT_AHEAD_BYTES, compression };
  const limits = connection ?? limitsOfPeer(own, "192.0.2.1");
  const inbound: Inbound = new Inbound(http2, {} as Http2Stream, codec, limits, {
    onMessage: (message, cost) => {
      log.push(String(message).slice(0, 3));
      costs.push(cost);
    },
    onInboundFault: (code, text) => log.push(`${code}: ${text}`),
    countFault: () => undefined,
    onInboundDrained: () => log.push("drained"),
  });
  inbound.useEncoding("gzip");
  return {
    log,
    inbound,
    budget,
    consumed: () => consumed,
    receive: (bytes: Buffer) => inbound.receive(bytes, 0, bytes.length),
    take: () => inbound.taken(costs.shift()!),
  };
}

function framed(body: Buffer, flag: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

const plain = (text: string): Buffer => framed(Buffer.from(text), 0);
const zipped = (text: string): Buffer => framed(gzipSync(text), 1);
const LONG = "l".repeat(200_000);
/** Does not shrink, so that the wire size alone puts it off the loop. */
const random = (first: string): Buffer => framed(gzipSync(first + randomBytes(60_000).toString("latin1")), 1);

test("one compressed message is inflated ahead of the reader, and plain ones wait behind it", () => {
  const { log, receive, take, budget, consumed, inbound } = setUp();
  const bytes = Buffer.concat([zipped("a1"), zipped("b2"), plain("c3"), zipped("d4")]);
  receive(bytes);
  assert.deepEqual(log, ["a1"]);
  assert.equal(budget.usedBytes, 2);
  assert.equal(inbound.end(), false);
  take();
  assert.deepEqual(log, ["a1", "b2"]);
  take();
  assert.deepEqual(log, ["a1", "b2", "c3"], "d4 waits until nothing is in front of it");
  take();
  assert.deepEqual(log, ["a1", "b2", "c3", "d4", "drained"]);
  take();
  assert.equal(budget.usedBytes, 0);
  assert.equal(consumed(), bytes.length);
});

test("messages that inflate off the loop keep their order, and the end comes behind them", async () => {
  const { log, receive, take, inbound, budget } = setUp();
  receive(Buffer.concat([zipped(LONG), plain("p"), random("r"), zipped("z"), zipped(LONG)]));
  assert.equal(inbound.end(), false);
  assert.deepEqual(log, []);
  for (const [at, first] of ["lll", "p", "r", "z", "lll"].entries()) {
    await eventually(`message ${at}`, () => log.length > at);
    assert.equal(log[at]![0], first[0]);
    take();
  }
  assert.equal(log.at(-1), "drained");
  assert.equal(budget.usedBytes, 0);
});

test("what is under way when the stream ends is dropped, and holds nothing", async () => {
  const streams = Array.from({ length: compressionThreads.maxRunning + 3 }, () => setUp());
  for (const { receive } of streams) receive(Buffer.concat([zipped(LONG), zipped(LONG)]));
  assert.equal(compressionThreads.runningCount, compressionThreads.maxRunning);
  assert.equal(compressionThreads.waitingCount, 3);
  for (const { inbound } of streams) inbound.stop();
  assert.equal(compressionThreads.waitingCount, 0);
  await eventually("the threads to finish", () => compressionThreads.runningCount === 0);
  for (const { log, budget, consumed } of streams) {
    assert.deepEqual(log, []);
    assert.equal(budget.usedBytes, 0);
    assert.equal(consumed(), 2 * zipped(LONG).length);
  }
});

test("an inflated message that the budget has no room for is refused", async () => {
  const { log, receive, budget } = setUp({ budgetBytes: 250_000 });
  assert.equal(budget.tryAcquire(100_000), true);
  receive(zipped(LONG));
  await eventually("the refusal", () => log.length > 0);
  assert.match(log[0]!, /^8: too many large messages/);
  assert.equal(budget.usedBytes, 100_000);
});

test("a fault in the backlog comes in its place, and nothing after it", () => {
  const { log, receive, take } = setUp();
  receive(Buffer.concat([zipped("a"), framed(Buffer.from("nonsense"), 1), zipped("c")]));
  assert.deepEqual(log, ["a"]);
  take();
  assert.match(log[1]!, /^13: a compressed message cannot be accepted/);
  assert.equal(log.length, 2);
});

test("plain messages beyond the allowance stay bytes until there is room", () => {
  const { log, receive, take, inbound } = setUp();
  const count = 1_000;
  receive(Buffer.concat(Array.from({ length: count }, (_, at) => plain(`${at}`))));
  const ahead = log.length;
  assert.ok(ahead < 300 && inbound.aheadBytes >= DEFAULT_AHEAD_BYTES, `${ahead} were decoded`);
  assert.ok(inbound.backlogBytes > 0);
  for (let at = 0; at < count; at++) take();
  assert.deepEqual(
    log,
    Array.from({ length: count }, (_, at) => `${at}`),
  );
  assert.equal(inbound.backlogBytes, 0);
  receive(plain("x"));
  assert.equal(log.at(-1), "x");
});

test("offLoopBytes: Infinity keeps everything on the loop", () => {
  const { log, receive } = setUp({ offLoopBytes: Number.POSITIVE_INFINITY });
  receive(zipped(LONG));
  assert.deepEqual(log, ["lll"]);
});

for (const [whose, peer] of [
  ["another peer's", "192.0.2.2"],
  ["the same peer's", "192.0.2.1"],
] as const) {
  test(`a connection with hundreds of messages for the threads does not make ${whose} other one wait for them`, () => {
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const encoding = {
      inflateOffLoop(message: Uint8Array, _maxBytes: number, onDone: (result: Buffer) => void) {
        begun.push(String(message));
        finish.push(() => onDone(Buffer.from(message)));
      },
    } as unknown as MessageEncoding;
    const compression = { ...resolveCompressionOptions({ offLoopBytes: 0 }), accepted: new Map([["gzip", encoding]]) };
    const budget = new SharedBudget(1_000_000);
    const limits = {
      owner: "server" as const,
      maxMessageBytes: 1_000,
      budget,
      aheadBytes: DEFAULT_AHEAD_BYTES,
      compression,
    };
    const connection = limitsOfPeer(limits, "192.0.2.1");
    const greedy = Array.from({ length: 300 }, () => setUp({ connection }));
    for (const { receive } of greedy) receive(framed(Buffer.from("greedy"), 1));
    const other = setUp({ connection: limitsOfPeer(limits, peer) });
    other.receive(framed(Buffer.from("other"), 1));
    assert.equal(begun.length, compressionThreads.maxRunning);
    finish[0]!();
    finish[1]!();
    assert.equal(begun.indexOf("other"), compressionThreads.maxRunning + 1, "after one more of the first");
    for (let at = 2; at < finish.length; at++) finish[at]!();
    assert.equal(begun.length, 301);
    assert.deepEqual([compressionThreads.runningCount, other.log], [0, ["oth"]]);
  });
}
