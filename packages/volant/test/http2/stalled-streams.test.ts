/** Streams for whose reader something waits: which are cut, and who is to blame where several wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const PERIOD_MS = 60_000;
const WIDE = 10_000_000;

interface Windows {
  readonly stream: number;
  /** Beyond what it starts with. */
  readonly connection?: number;
  readonly streamStallTimeoutMs?: number;
}

/** A server with that many streams whose headers are answered. */
function serverWith(count: number, { stream, connection = 0, ...options }: Windows): CoreUnderTest {
  const server = CoreUnderTest.ready("server", options, [4, stream]);
  if (connection > 0) server.receive(frames.windowUpdate(0, connection));
  for (let id = 1; id < 2 * count; id += 2) {
    server.receive(frames.headers(id).request("POST", "/").endStream());
    server.http2.sendHeaders(server.stream(id), Buffer.of(0x88), false);
  }
  server.sent();
  server.events();
  return server;
}

function periods(server: CoreUnderTest, count: number, eachPeriod: (period: number) => void = () => undefined): void {
  for (let period = 0; period < count; period++) {
    eachPeriod(period);
    server.advance(PERIOD_MS);
    server.sent();
  }
}

const write = (server: CoreUnderTest, id: number, bytes: number): boolean =>
  server.http2.sendData(server.stream(id), Buffer.alloc(bytes), false);

const cut = (server: CoreUnderTest): number => server.http2.faultCounts.get("stream-stalled") ?? 0;

test("an unfinished stream whose window is zero, with one message that waits, is reset with CANCEL in two periods", () => {
  const server = serverWith(1, { stream: 0 });
  assert.equal(write(server, 1, 100), false);
  server.advance(PERIOD_MS);
  assert.deepEqual(server.sent(), [], "the first look only marks where it is");
  server.advance(PERIOD_MS);
  assert.deepEqual(server.sent(), ["RST_STREAM 1 CANCEL"]);
  assert.deepEqual(server.events(), ["reset 1 CANCEL library"]);
  assert.equal(cut(server), 1);
});

test("a reader that takes a few small messages in each period, so that its queue is empty now and then, is cut as well", () => {
  const server = serverWith(1, { stream: 0 });
  const fill = (): void => {
    while (write(server, 1, 20));
  };
  server.sink.react.onWritable = fill;
  fill();
  for (let at = 0; at < 20 && !server.stream(1).isClosed; at++) {
    server.receive(frames.windowUpdate(1, 60));
    server.advance(PERIOD_MS / 6);
    server.sent();
  }
  assert.deepEqual([server.stream(1).isClosed, cut(server)], [true, 1]);
});

test("a stream for which nothing waits is never cut, however long it is silent and however shut its window", () => {
  const server = serverWith(2, { stream: 100 });
  write(server, 1, 100);
  write(server, 3, 101);
  server.receive(frames.windowUpdate(3, 1));
  server.sent();
  periods(server, 60);
  assert.equal(cut(server), 0);
});

test("a slow reader that tells of half a window every half an hour is not cut, and once it stops it is", () => {
  const server = serverWith(1, { stream: 65_535, connection: WIDE });
  server.sink.react.onWritable = () => {
    while (write(server, 1, 5_000));
  };
  while (write(server, 1, 5_000));
  server.receive(frames.windowUpdate(1, 32_768));
  periods(server, 300, (period) => {
    if (period % 30 === 29) server.receive(frames.windowUpdate(1, 32_768));
  });
  assert.equal(cut(server), 0);
  periods(server, 35);
  assert.equal(cut(server), 1);
});

test("a window that a stream began with counts for nothing: a reader that never tells of anything is cut in two periods", () => {
  const server = serverWith(1, { stream: 65_535, connection: WIDE });
  while (write(server, 1, 5_000));
  periods(server, 2);
  assert.equal(cut(server), 1);
});

test("where the connection's window is shut and the peer opens it for nobody, all that wait are cut", () => {
  const server = serverWith(50, { stream: WIDE });
  for (let id = 1; id < 100; id += 2) write(server, id, 65_535);
  // The first had the whole window and nothing waits for it.
  periods(server, 2);
  assert.equal(cut(server), 49);
  assert.equal(server.stream(1).isClosed, false);
});

test("streams that wait for the connection's window are not blamed for what another takes of it", () => {
  const server = serverWith(10, { stream: WIDE });
  for (let id = 1; id < 20; id += 2) write(server, id, 1_000_000);
  periods(server, 60, () => server.receive(frames.windowUpdate(0, 2_000)));
  assert.equal(cut(server), 0);
});

test("a stream whose own window is shut is cut also while others of its connection are served", () => {
  const server = serverWith(2, { stream: 0, connection: WIDE });
  write(server, 1, 100);
  server.sink.react.onWritable = () => void write(server, 3, 5_000);
  write(server, 3, 5_000);
  periods(server, 4, () => server.receive(frames.windowUpdate(3, 5_000)));
  assert.deepEqual([server.stream(1).isClosed, server.stream(3).isClosed, cut(server)], [true, false, 1]);
});

test("streams that wait for the socket are not judged here", () => {
  const server = serverWith(3, { stream: WIDE, connection: WIDE });
  for (const id of [1, 3, 5]) write(server, id, 1_000_000);
  for (let period = 0; period < 20; period++) server.advance(PERIOD_MS);
  assert.equal(cut(server), 0);
});

test("with streamStallTimeoutMs at Infinity, and in a client, a stream waits for its reader forever", () => {
  const server = serverWith(1, { stream: 0, streamStallTimeoutMs: Number.POSITIVE_INFINITY });
  write(server, 1, 100);
  periods(server, 100);
  const client = CoreUnderTest.ready("client", {}, [4, 0]);
  const stream = client.http2.openStream();
  client.http2.sendHeaders(stream, Buffer.of(0x83), false);
  client.http2.sendData(stream, Buffer.alloc(100), false);
  periods(client, 100);
  assert.deepEqual([cut(server), cut(client)], [0, 0]);
  let asked = 0;
  client.sink.onOutput = () => void asked++;
  client.http2.sendData(stream, Buffer.alloc(100), false);
  assert.equal(asked, 0, "there is nothing to look at");
});

test("a message that waits from a moment when nothing else happens has the driver look at the time", () => {
  const server = serverWith(1, { stream: 0 });
  periods(server, 10);
  assert.equal(server.http2.nextTimeout(), Number.POSITIVE_INFINITY);
  let asked = 0;
  server.sink.onOutput = () => void asked++;
  write(server, 1, 100);
  assert.equal(asked, 1);
  assert.ok(server.http2.nextTimeout() < Number.POSITIVE_INFINITY);
});
