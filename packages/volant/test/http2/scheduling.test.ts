import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Sink } from "../../src/http2/sink.ts";
import { UsageError } from "../../src/http2/usage-error.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

/** A server with streams 1, 3, … open from the peer, wide stream windows, headers answered. */
function serverWithStreams(count: number, options = {}): CoreUnderTest {
  const server = CoreUnderTest.ready("server", options, [4, 10_000_000]);
  for (let index = 0; index < count; index++) {
    const id = 1 + 2 * index;
    server.receive(frames.headers(id).request("POST", "/"));
    server.http2.sendHeaders(server.stream(id), Buffer.of(0x88), false);
  }
  server.sent();
  server.events();
  return server;
}

/** Uses up the connection's window through stream 1, so that whatever follows is queued. */
function shutConnection(server: CoreUnderTest): void {
  server.http2.sendData(server.stream(1), Buffer.alloc(65_535), false);
  server.sent();
}

test("queued streams take turns, a frame each", () => {
  const server = serverWithStreams(4);
  shutConnection(server);
  for (const id of [3, 5, 7]) server.http2.sendData(server.stream(id), Buffer.alloc(40_000), true);
  const sent = server.receive(frames.windowUpdate(0, 1_000_000)).sent();
  assert.deepEqual(sent, [
    ...["DATA 3 [16384]", "DATA 5 [16384]", "DATA 7 [16384]"],
    ...["DATA 3 [16384]", "DATA 5 [16384]", "DATA 7 [16384]"],
    ...["DATA 3 [7232] end", "DATA 5 [7232] end", "DATA 7 [7232] end"],
  ]);
});

test("a newcomer does not overtake those who wait", () => {
  const server = serverWithStreams(3);
  shutConnection(server);
  server.http2.sendData(server.stream(3), Buffer.alloc(10), true);
  server.receive(frames.windowUpdate(0, 5));
  server.http2.sendData(server.stream(5), Buffer.alloc(10), true);
  assert.deepEqual(server.sent(), ["DATA 3 [5]"]);
  assert.deepEqual(server.receive(frames.windowUpdate(0, 100)).sent(), ["DATA 3 [5] end", "DATA 5 [10] end"]);
});

test("a stream whose own window is shut does not hold up the others", () => {
  const server = serverWithStreams(2);
  server.receive(frames.settings([4, 100]));
  server.sent();
  server.http2.sendData(server.stream(1), Buffer.alloc(1_000), true);
  server.http2.sendData(server.stream(3), Buffer.alloc(100), true);
  assert.deepEqual(server.sent(), ["DATA 1 [100]", "DATA 3 [100] end"]);
});

test("§6.2 trailers follow the stream's own data and wait for nobody else's", () => {
  const server = serverWithStreams(4);
  shutConnection(server);
  server.http2.sendData(server.stream(1), Buffer.alloc(1_000_000), false);
  server.http2.sendData(server.stream(3), Buffer.alloc(10), false);
  server.http2.sendTrailers(server.stream(3), [{ name: "grpc-status", value: "0", indexing: 0 }]);
  server.http2.sendTrailers(server.stream(5), [{ name: "grpc-status", value: "5", indexing: 0 }]);
  assert.deepEqual(server.sent(), ["HEADERS 5 end grpc-status=5"]);
  server.http2.sendData(server.stream(7), Buffer.alloc(0), true);
  assert.deepEqual(server.sent(), ["DATA 7 [0] end"], "an end without data is like trailers");
  const sent = server.receive(frames.windowUpdate(0, 40_000)).sent();
  assert.deepEqual(sent.slice(0, 3), ["DATA 1 [16384]", "DATA 3 [10]", "HEADERS 3 end grpc-status=0"]);
});

test("§6.4 a reset waits for nothing and drops what its stream had queued", () => {
  const server = serverWithStreams(2);
  shutConnection(server);
  server.http2.sendData(server.stream(1), Buffer.alloc(1_000), false);
  server.http2.sendData(server.stream(3), Buffer.alloc(1_000), false);
  server.http2.resetStream(server.stream(1), 8);
  assert.deepEqual(server.sent(), ["RST_STREAM 1 CANCEL"]);
  assert.deepEqual(server.receive(frames.windowUpdate(0, 10_000)).sent(), ["DATA 3 [1000]"]);
  assert.deepEqual(server.events(), ["writable 3"], "our own reset is not reported");
});

test("streams that are reset while nobody can send do not pile up", () => {
  const server = serverWithStreams(1);
  shutConnection(server);
  for (let index = 1; index < 5_000; index++) {
    const id = 1 + 2 * index;
    server.receive(frames.headers(id).request("POST", "/"));
    server.http2.sendHeaders(server.stream(id), Buffer.of(0x88), false);
    server.http2.sendData(server.stream(id), Buffer.alloc(100), false);
    server.receive(frames.rstStream(id, 8));
    server.sent();
    server.advance(1);
  }
  const { ring } = (server.http2 as unknown as { parts: { scheduler: { ring: unknown[] } } }).parts.scheduler;
  assert.ok(ring.length < 100, `${ring.length} streams kept`);
});

test("data stops at outputHighWaterBytes and goes on when output was taken", () => {
  const server = serverWithStreams(1, { outputHighWaterBytes: 65_536 }).receive(frames.windowUpdate(0, 10_000_000));
  server.http2.sendData(server.stream(1), Buffer.alloc(1_000_000), true);
  let total = 0;
  for (let octets = server.sentBytes(); octets.length > 0; octets = server.sentBytes()) {
    assert.ok(octets.length <= 65_536 + 16_384 + 9, String(octets.length));
    total += octets.length;
  }
  assert.ok(total > 1_000_000);
  assert.equal(server.stream(1).isLocalDone, true);
});

test("while the socket is full and windows are open, a writer waits above streamHighWaterBytes and goes on at half of it", () => {
  const server = serverWithStreams(1, { streamHighWaterBytes: 20_000, outputHighWaterBytes: 65_536 });
  server.receive(frames.windowUpdate(0, 10_000_000));
  const stream = server.stream(1);
  server.http2.sendData(stream, Buffer.alloc(65_536), false);
  assert.equal(server.http2.sendData(stream, Buffer.alloc(19_999), false), true);
  assert.equal(server.http2.sendData(stream, Buffer.alloc(1), false), false);
  assert.deepEqual(server.events(), []);
  server.sent();
  assert.deepEqual(server.events(), ["writable 1"], "once");
});

for (const [name, shut, open] of [
  ["its own window", (server: CoreUnderTest) => server.receive(frames.settings([4, 0])), frames.windowUpdate(1, 6)],
  ["the connection's window", shutConnection, frames.windowUpdate(0, 6)],
] as const) {
  test(`behind ${name} a writer waits from the first octet that is queued, and goes on once all of it has left`, () => {
    const server = serverWithStreams(1);
    shut(server);
    server.sent();
    server.events();
    assert.equal(server.http2.sendData(server.stream(1), Buffer.alloc(10), false), false);
    assert.deepEqual(server.receive(open).events(), []);
    assert.deepEqual(server.receive(open).events(), ["writable 1"]);
    assert.equal(server.http2.sendData(server.stream(1), Buffer.alloc(2), false), true, "there is window for it");
  });
}

test("a writer hears nothing after its end, and after an end it does not wait", () => {
  const server = serverWithStreams(2, { streamHighWaterBytes: 1_000 });
  shutConnection(server);
  assert.equal(server.http2.sendData(server.stream(1), Buffer.alloc(5_000), true), true);
  assert.equal(server.http2.sendData(server.stream(3), Buffer.alloc(5_000), false), false);
  server.http2.sendTrailers(server.stream(3), Buffer.alloc(0));
  server.receive(frames.windowUpdate(0, 100_000));
  assert.deepEqual(server.events(), []);
  assert.equal(server.stream(1).isLocalDone && server.stream(3).isLocalDone, true);
});

test("a writer that is told to go on may fill its stream again inside the call, without end to it", () => {
  const server = serverWithStreams(1, { streamHighWaterBytes: 1_000 });
  shutConnection(server);
  const chunk = Buffer.alloc(1_000);
  const write = (): void => {
    while (server.http2.sendData(server.stream(1), chunk, false));
  };
  server.sink.react.onWritable = write;
  write();
  server.receive(frames.windowUpdate(0, 10_500));
  const lengths = server.sent().map((line) => Number(/\[(\d+)\]/.exec(line)?.[1]));
  assert.equal(
    lengths.reduce((sum, length) => sum + length),
    10_500,
  );
  assert.deepEqual(server.events(), ["writable 1"]);
});

test("what the state does not allow is a UsageError, and leaves the stream as it was", () => {
  const server = serverWithStreams(2);
  server.http2.sendData(server.stream(1), Buffer.alloc(1), true);
  assert.throws(() => server.http2.sendData(server.stream(1), Buffer.alloc(1), false), UsageError);
  assert.throws(() => server.http2.sendTrailers(server.stream(1), Buffer.alloc(0)), UsageError);
  assert.throws(
    () => server.http2.sendHeaders(server.stream(3), [{ name: "a", value: "\u0100", indexing: 1 }], true),
    UsageError,
  );
  server.http2.sendHeaders(server.stream(3), [], true);
  assert.deepEqual(server.sent(), ["DATA 1 [1] end", "HEADERS 3 end"]);
});

test("a queued stream takes no second end, no headers, and no trailers that could not be encoded later", () => {
  const server = serverWithStreams(2);
  shutConnection(server);
  const stream = server.stream(3);
  server.http2.sendData(stream, Buffer.alloc(5), false);
  assert.throws(() => server.http2.sendHeaders(stream, [], false), UsageError);
  assert.throws(
    () => server.http2.sendTrailers(stream, [{ name: "a", value: "\u20ac", indexing: 1 }]),
    /above U\+00FF/,
  );
  server.http2.sendTrailers(stream, []);
  assert.throws(() => server.http2.sendTrailers(stream, []), UsageError);
  assert.throws(() => server.http2.sendData(stream, Buffer.alloc(1), false), UsageError);
  assert.deepEqual(server.receive(frames.windowUpdate(0, 5)).sent(), ["DATA 3 [5]", "HEADERS 3 end"]);
});

test("after the connection closed every command does nothing", () => {
  const server = serverWithStreams(1);
  server.http2.close();
  server.sent();
  const stream = server.stream(1);
  server.http2.sendHeaders(stream, [], false);
  assert.equal(server.http2.sendData(stream, Buffer.alloc(9), false), true);
  server.http2.sendTrailers(stream, []);
  server.http2.resetStream(stream, 8);
  server.http2.consume(stream, 1);
  server.http2.expect(stream, 1_000_000);
  server.http2.resetWhenDone(stream);
  server.http2.sendPing(1);
  server.http2.beginDrain(0);
  server.http2.close();
  server.http2.handleRoom();
  assert.equal(server.http2.reserve(stream, undefined, 1), -1);
  assert.deepEqual([server.sent(), server.events()], [[], ["closed NO_ERROR closed user"]]);
  assert.equal(server.http2.nextTimeout(), Number.POSITIVE_INFINITY);
});

test("where the sink says that much is held, a writer waits with the first message that is queued, whatever the windows", () => {
  const server = serverWithStreams(1, { outputHighWaterBytes: 65_536 });
  server.receive(frames.windowUpdate(0, 10_000_000));
  const changes: number[] = [];
  const sink: Http2Sink = server.sink;
  sink.onHeldChange = (bytes) => changes.push(bytes) > 0;
  server.http2.sendData(server.stream(1), Buffer.alloc(65_536), false);
  assert.deepEqual(changes, [], "what leaves at once is not counted");
  assert.equal(server.http2.sendData(server.stream(1), Buffer.alloc(5_000), false), false);
  server.sent();
  assert.deepEqual([server.events(), changes], [["writable 1"], [5_000, -5_000]]);
});
