import assert from "node:assert/strict";
import { test } from "node:test";
import { ENCODINGS } from "../compression/encodings.ts";
import { ThreadLine } from "../compression/threads.ts";
import type { MessageCodec } from "../rpc/method.ts";
import { CoreUnderTest } from "../testing/connection-pair.ts";
import { frames, headerBlock } from "../testing/frame-factory.ts";
import { Outbound } from "./outbound.ts";

const HEADERS = headerBlock([[":status", "200"]]);
const TRAILERS = headerBlock([["grpc-status", "0"]]);

class TextCodec implements MessageCodec<unknown, unknown> {
  estimate = 256;
  encoded = 0;

  decode(): never {
    throw new Error("nothing is received here");
  }

  encode(message: unknown): Uint8Array {
    this.encoded++;
    if (message instanceof Error) throw message;
    return Buffer.from(String(typeof message === "function" ? message() : message));
  }

  encodeInto(message: unknown, target: Buffer, offset: number, limit: number): number {
    const bytes = this.encode(message);
    if (bytes.length > limit) return -1;
    target.set(bytes, offset);
    return bytes.length;
  }
}

function setUp(settings: readonly (readonly [number, number])[] = []) {
  const core = new CoreUnderTest("server");
  core.receive(frames.preface, frames.settings(...settings), frames.headers(1).request("POST", "/s/m"));
  core.sent();
  const codec = new TextCodec();
  const outbound = new Outbound(core.http2, core.sink.streams.get(1)!, codec, HEADERS);
  return { core, codec, outbound };
}

test("headers, message and trailers go out as three frames, encoded once", () => {
  const { core, codec, outbound } = setUp();
  outbound.send("hello", TRAILERS);
  assert.deepEqual(core.sent(), ["HEADERS 1 :status=200", "DATA 1 [10]", "HEADERS 1 end grpc-status=0"]);
  assert.equal(codec.encoded, 1);
  assert.equal(outbound.messagesSent, 1);
});

test("headers go out once, with the first message or before it", () => {
  const { core, outbound } = setUp();
  outbound.sendHeadersIfDue();
  outbound.sendHeadersIfDue();
  outbound.send("a");
  outbound.send("b");
  assert.deepEqual(core.sent(), ["HEADERS 1 :status=200", "DATA 1 [6]", "DATA 1 [6]"]);
});

test("a message that cannot be encoded leaves nothing on the wire", () => {
  const { core, outbound } = setUp();
  assert.throws(() => outbound.send(new Error("bad message"), TRAILERS), /bad message/);
  assert.deepEqual(core.sent(), []);
  assert.equal(outbound.messagesSent, 0);
  outbound.send("good", TRAILERS);
  assert.equal(core.sent().length, 3);
});

test("a message larger than the reservation or a frame goes through the scheduler, cut into frames", () => {
  const { core, outbound } = setUp([[4, 1_000_000]]);
  outbound.send("x".repeat(40_000), TRAILERS);
  assert.deepEqual(core.sent(), [
    "HEADERS 1 :status=200",
    "DATA 1 [16384]",
    "DATA 1 [16384]",
    `DATA 1 [${40_005 - 2 * 16_384}]`,
    "HEADERS 1 end grpc-status=0",
  ]);
});

test("a writer waits while its stream is full, and goes on when the peer made room", async () => {
  const { core, outbound } = setUp([[4, 100]]);
  outbound.send("x".repeat(70_000));
  const waiting = outbound.whenWritable();
  assert.ok(waiting !== undefined);
  core.sink.react = { onWritable: () => outbound.release() };
  core.sent();
  core.receive(frames.windowUpdate(1, 60_000), frames.windowUpdate(0, 60_000));
  core.sent();
  await waiting;
  assert.equal(outbound.whenWritable(), undefined);
});

test("release ends the wait also when the stream is over", async () => {
  const { outbound } = setUp([[4, 0]]);
  outbound.send("x".repeat(70_000));
  const waiting = outbound.whenWritable();
  outbound.release();
  await waiting;
});

test("an encoder that sends on the same connection, as a getter may, corrupts neither message", () => {
  const { core, outbound } = setUp();
  core.receive(frames.headers(3).request("POST", "/s/m"));
  const other = new Outbound(core.http2, core.sink.streams.get(3)!, new TextCodec(), HEADERS);
  outbound.send(() => {
    if (other.messagesSent === 0) other.send("inner", TRAILERS);
    return "outer";
  }, TRAILERS);
  const sent = core.sent();
  assert.deepEqual(sent.filter((line) => line.includes(" 3")).length, 3);
  assert.deepEqual(sent.filter((line) => / 1( |$)/.test(line)).length, 3);
});

test("the last message of a client carries END_STREAM", () => {
  const { core, outbound } = setUp();
  outbound.sendLast("bye");
  assert.deepEqual(core.sent(), ["HEADERS 1 :status=200", "DATA 1 [8] end"]);
});

test("RFC 9113 §8.1 what is sent on a stream that the peer has reset goes nowhere, and its writer waits for the end", async () => {
  const { core, codec, outbound } = setUp();
  outbound.send("a");
  core.receive(frames.rstStream(1, 0));
  core.sent();
  outbound.send("b");
  assert.deepEqual([core.sent(), outbound.messagesSent], [[], 1]);
  codec.encoded = 0;
  outbound.compressWith(ENCODINGS.get("gzip")!, { minBytes: 0, offLoopBytes: 10 }, new ThreadLine());
  outbound.send("c".repeat(100));
  assert.deepEqual([codec.encoded, outbound.messagesSent], [0, 1]);
  const room = outbound.whenWritable();
  assert.ok(room !== undefined, "the writer waits");
  outbound.release();
  await room;
});
