/** The negative cases of the gRPC interop suite (goaway, rst_*, ping, max_streams) and their neighbours. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { messageBytes, UNENCODABLE } from "./support/echo-service.ts";
import { drained, failure, until, withPeer } from "./support/harness.ts";

const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;
const MAX_CONCURRENT_STREAMS = 3;

async function begun(t: TestContext) {
  const fixture = await withPeer(t);
  const call = fixture.client.unary({ value: "ping" });
  call.catch(() => undefined);
  const connection = await fixture.peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  return { ...fixture, connection, call };
}

test("rst_after_header: a reset behind the headers ends the call with its code", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(connection.headers(1), frames.rstStream(1, NO_ERROR));
  await failure(call, StatusCode.INTERNAL);
});

test("gRPC detail 24: rst_during_data: a reset inside a message is no clean end, whatever its code", async (t) => {
  for (const [code, status] of [
    [NO_ERROR, StatusCode.INTERNAL],
    [INTERNAL_ERROR, StatusCode.INTERNAL],
    [CANCEL, StatusCode.CANCELLED],
    [ENHANCE_YOUR_CALM, StatusCode.RESOURCE_EXHAUSTED],
    [0xdead, StatusCode.INTERNAL],
  ] as const) {
    const { connection, call } = await begun(t);
    connection.write(connection.headers(1), frames.data(1, messageBytes("pong").subarray(0, 6)));
    connection.write(frames.rstStream(1, code));
    await failure(call, status);
  }
});

test("rst_after_data: a reset in place of trailers takes the answer back", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(connection.headers(1), frames.data(1, messageBytes("pong")), frames.rstStream(1, NO_ERROR));
  assert.match((await failure(call, StatusCode.INTERNAL)).message, /the server reset the call \(NO_ERROR\)/);
});

test("gRPC detail 27: §8.1 trailers before our END_STREAM, then RST_STREAM(NO_ERROR) both ways: the status stands", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.upload();
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^HEADERS 1/);
  connection.write(
    connection.headers(1),
    frames.data(1, messageBytes("early")),
    connection.trailers(1),
    frames.rstStream(1, NO_ERROR),
  );
  assert.equal((await call).value, "early");
  await connection.sees(/^RST_STREAM 1 NO_ERROR/);
});

test("ping: pings are answered in order while a call is under way", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(frames.ping("aaaaaaaa"), frames.ping("bbbbbbbb"));
  await connection.sees(new RegExp(`^PING ${Buffer.from("aaaaaaaa").toString("hex")} ack`));
  await connection.sees(new RegExp(`^PING ${Buffer.from("bbbbbbbb").toString("hex")} ack`));
  connection.answer(1, "pong");
  assert.equal((await call).value, "pong");
});

test("gRPC detail 36: calls above the server's MAX_CONCURRENT_STREAMS wait their turn, first come first served", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const calls = [1, 2, 3].map((n) => client.unary({ value: String(n) }));
  const connection = await peer.accept();
  await connection.handshake([MAX_CONCURRENT_STREAMS, 1]);
  for (const [index, call] of calls.entries()) {
    const id = 1 + 2 * index;
    await connection.sees(new RegExp(`^DATA ${id} .*end`));
    assert.equal(channel.pendingCount, 2 - index);
    assert.equal(connection.log.filter((line) => line.startsWith("HEADERS")).length, index + 1);
    connection.answer(id, `answer ${index + 1}`);
    assert.equal((await call).value, `answer ${index + 1}`);
  }
});

test("gRPC detail 36: a larger MAX_CONCURRENT_STREAMS lets waiting calls start at once", async (t) => {
  const { peer, client } = await withPeer(t);
  const calls = [client.unary({ value: "1" }), client.unary({ value: "2" })];
  const connection = await peer.accept();
  await connection.handshake([MAX_CONCURRENT_STREAMS, 1]);
  await connection.sees(/^DATA 1 .*end/);
  connection.write(frames.settings([MAX_CONCURRENT_STREAMS, 2]));
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "b");
  connection.answer(1, "a");
  assert.deepEqual(
    (await Promise.all(calls)).map(({ value }) => value),
    ["a", "b"],
  );
});

test("gRPC detail 36: a call that is cancelled or runs out of time while it waits sends no frame, and its place is taken", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const first = client.unary({ value: "1" });
  const controller = new AbortController();
  const cancelled = client.unary({ value: "2" }, { signal: controller.signal });
  const late = client.unary({ value: "3" }, { timeoutMs: 20 });
  late.catch(() => undefined);
  const stream = client.download({ value: "4" });
  const last = client.unary({ value: "5" });
  const connection = await peer.accept();
  await connection.handshake([MAX_CONCURRENT_STREAMS, 1]);
  await connection.sees(/^DATA 1 .*end/);
  controller.abort();
  stream.cancel();
  await failure(cancelled, StatusCode.CANCELLED);
  await failure(late, StatusCode.DEADLINE_EXCEEDED);
  assert.equal((await drained(stream)).values.length, 0);
  assert.equal(channel.pendingCount, 1);
  connection.answer(1, "a");
  await first;
  await connection.sees(/^DATA 3 \[8\] end/);
  connection.answer(3, "e");
  assert.equal((await last).value, "e");
  assert.equal(connection.log.filter((line) => line.startsWith("HEADERS")).length, 2);
  assert.equal(connection.log.filter((line) => line.startsWith("RST_STREAM")).length, 0);
});

test("gRPC detail 36: a smaller MAX_CONCURRENT_STREAMS ends nothing, and holds back what waits until there is room again", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const calls = ["1", "2", "3"].map((value) => client.unary({ value }));
  const connection = await peer.accept();
  await connection.handshake([MAX_CONCURRENT_STREAMS, 2]);
  await connection.sees(/^DATA 3 .*end/);
  connection.write(frames.settings([MAX_CONCURRENT_STREAMS, 1]));
  connection.answer(1, "a");
  assert.equal((await calls[0]!).value, "a");
  connection.write(frames.ping());
  await connection.sees(/^PING .* ack/);
  assert.equal(channel.pendingCount, 1);
  connection.answer(3, "b");
  await connection.sees(/^DATA 5 .*end/);
  connection.answer(5, "c");
  assert.deepEqual(
    (await Promise.all(calls)).map(({ value }) => value),
    ["a", "b", "c"],
  );
});

test("max_streams: requests that cannot be encoded leave the queue without a pile of calls upon calls", async (t) => {
  const { peer, client } = await withPeer(t);
  const first = client.unary({ value: "1" });
  const bad = Array.from({ length: 5_000 }, () => client.unary(UNENCODABLE));
  const outcomes = Promise.allSettled(bad);
  const connection = await peer.accept();
  await connection.handshake([MAX_CONCURRENT_STREAMS, 1]);
  await connection.sees(/^DATA 1 .*end/);
  connection.answer(1, "a");
  await first;
  for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
});

test("gRPC detail 37: §8.7 a stream refused before it did anything is tried again, once", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(frames.rstStream(1, REFUSED_STREAM));
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "pong");
  assert.equal((await call).value, "pong");
});

test("gRPC detail 37: §8.7 a stream refused twice is UNAVAILABLE", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(frames.rstStream(1, REFUSED_STREAM));
  await connection.sees(/^DATA 3 .*end/);
  connection.write(frames.rstStream(3, REFUSED_STREAM));
  await failure(call, StatusCode.UNAVAILABLE);
});

test("a stream refused after its headers arrived is not tried again", async (t) => {
  const { connection, call } = await begun(t);
  connection.write(connection.headers(1), frames.rstStream(1, REFUSED_STREAM));
  await failure(call, StatusCode.UNAVAILABLE);
  assert.equal(connection.log.filter((line) => line.startsWith("HEADERS")).length, 1);
});

test("a refused call whose iterable has given nothing yet starts over on the next stream", async (t) => {
  const { peer, client } = await withPeer(t);
  const gate = Promise.withResolvers<void>();
  async function* requests() {
    await gate.promise;
    yield { value: "a" };
    yield { value: "b" };
  }
  const call = client.upload(requests());
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^HEADERS 1/);
  connection.write(frames.rstStream(1, REFUSED_STREAM));
  await connection.sees(/^HEADERS 3/);
  gate.resolve();
  await connection.sees(/^DATA 3 \[8\]/);
  await connection.sees(/^DATA 3 \[8\]/);
  await connection.sees(/^DATA 3 \[0\] end/);
  connection.answer(3, "a,b");
  assert.equal((await call).value, "a,b");
});

test("a refused call that waits for room sends what its iterable gives meanwhile when it starts", async (t) => {
  const { peer, client } = await withPeer(t);
  const gate = Promise.withResolvers<void>();
  async function* requests() {
    await gate.promise;
    yield { value: "late" };
  }
  const call = client.upload(requests());
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^HEADERS 1/);
  connection.write(frames.settings([MAX_CONCURRENT_STREAMS, 0]), frames.rstStream(1, REFUSED_STREAM), frames.ping());
  await connection.sees(/^PING .* ack/);
  gate.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  connection.write(frames.settings([MAX_CONCURRENT_STREAMS, 1]));
  await connection.sees(/^DATA 3 \[11\]/);
  await connection.sees(/^DATA 3 \[0\] end/);
  connection.answer(3, "ok");
  assert.equal((await call).value, "ok");
});

test("a refused call that has sent more than is kept is UNAVAILABLE, and its iterable is closed", async (t) => {
  const { peer, client } = await withPeer(t, { replayBuffer: { callBytes: 20_000 } });
  let isClosed = false;
  const call = client.upload(
    (function* () {
      try {
        while (true) yield { value: "x".repeat(20_000) };
      } finally {
        isClosed = true;
      }
    })(),
  );
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1/);
  connection.write(frames.rstStream(1, REFUSED_STREAM));
  await failure(call, StatusCode.UNAVAILABLE);
  await until(() => isClosed);
});

test("§5.4 a frame that breaks the protocol ends the connection and its calls, and the next call has a new one", async (t) => {
  const { peer, client, connection, call } = await begun(t);
  connection.write(frames.raw(0x0, 0, 0, Buffer.from("data on stream 0")));
  const error = await failure(call, StatusCode.UNAVAILABLE);
  assert.match(error.message, /the connection ended: /);
  await connection.sees(/^GOAWAY last=0 PROTOCOL_ERROR/);
  const next = client.unary({ value: "again" });
  const second = await peer.accept();
  await second.handshake();
  await second.sees(/^DATA 1 .*end/);
  second.answer(1, "yes");
  assert.equal((await next).value, "yes");
});
