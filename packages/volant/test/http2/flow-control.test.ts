import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/http2/usage-error.ts";
import { ConnectionPair, CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const WINDOW = 65_535;
/** Windows that stay as they are, for tests of their exact size. */
const FIXED = { maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 } as const;
const request = (id: number) => frames.headers(id).request("POST", "/");

/** A server with streams 1, 3, … open from the peer, headers answered, nothing left to take. */
function serverWithStreams(
  count: number,
  options = {},
  ...settings: readonly (readonly [number, number])[]
): CoreUnderTest {
  const server = CoreUnderTest.ready("server", { ...FIXED, ...options }, ...settings);
  for (let index = 0; index < count; index++) {
    server.receive(request(1 + 2 * index));
    server.http2.sendHeaders(server.stream(1 + 2 * index), Buffer.of(0x88), false);
  }
  server.sent();
  server.events();
  return server;
}

const lengths = (sent: readonly string[]) =>
  sent.filter((line) => line.startsWith("DATA")).reduce((sum, line) => sum + Number(/\[(\d+)\]/.exec(line)?.[1]), 0);

test("§6.9.1 DATA up to the stream's window is accepted; one octet more ends the stream, and its octets are credited", () => {
  const server = serverWithStreams(2);
  for (let count = 0; count < 3; count++) server.receive(frames.data(1, 16_384));
  server.receive(frames.data(1, WINDOW - 3 * 16_384), frames.data(1, ""));
  assert.equal(server.stream(1).receiveWindow.open, 0);
  server.receive(frames.data(1, 1));
  assert.equal(server.events().at(-1), "reset 1 FLOW_CONTROL_ERROR library");
  assert.deepEqual(server.sent(), ["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
  assert.equal(server.http2.windows.held, 0);
});

test("§6.9.1 DATA beyond the connection's window ends the connection", () => {
  const server = serverWithStreams(2, { connectionWindowBytes: WINDOW });
  for (const id of [1, 3, 1, 3]) server.receive(frames.data(id, id === 3 ? 16_384 : 16_383));
  assert.equal(server.http2.windows.receive, 1);
  assert.deepEqual(server.receive(frames.data(3, 1), frames.data(1, "")).http2.isClosed, false);
  server.receive(frames.data(1, 1));
  assert.equal(server.events().at(-1), "closed FLOW_CONTROL_ERROR connection-window-exceeded library");
});

test("§6.9.1 padding counts towards both windows", () => {
  const server = serverWithStreams(1, { initialStreamWindowBytes: 100_000, connectionWindowBytes: WINDOW });
  for (let count = 0; count < 2; count++) server.receive(frames.data(1, 16_000).padded(200));
  server.receive(frames.data(1, 400).padded(255));
  assert.equal(server.http2.windows.receive, WINDOW - 2 * 16_201 - 656);
  assert.equal(server.http2.windows.held, 32_400);
});

test("§6.9.1 a connection window beyond 2^31-1 is a connection error, up to it it is not", () => {
  const server = serverWithStreams(1).receive(frames.windowUpdate(0, 0x7fff_ffff - WINDOW));
  assert.equal(server.http2.windows.send, 0x7fff_ffff);
  server.receive(frames.windowUpdate(0, 1));
  assert.deepEqual(server.events(), ["closed FLOW_CONTROL_ERROR connection-window-overflow library"]);
});

test("§6.9.2 an initial size that lifts any stream beyond 2^31-1 is a connection error", () => {
  const server = serverWithStreams(1).receive(
    frames.windowUpdate(1, 0x7fff_ffff - WINDOW),
    frames.settings([4, WINDOW + 1]),
  );
  assert.deepEqual(server.events(), ["closed FLOW_CONTROL_ERROR settings-window-overflow library"]);
});

test("§6.9 consumed octets come back as WINDOW_UPDATE once they are a third of a window", () => {
  const server = serverWithStreams(1).receive(frames.data(1, 16_384), frames.data(1, 16_384), frames.data(1, 16_384));
  const stream = server.stream(1);
  server.http2.consume(stream, 21_844);
  assert.deepEqual(server.sent(), []);
  server.http2.consume(stream, 1);
  assert.deepEqual(server.sent(), ["WINDOW_UPDATE 1 +21845"]);
  assert.equal(stream.receiveWindow.open, WINDOW - 49_152 + 21_845);
});

test("§6.9 no stream WINDOW_UPDATE follows the peer's END_STREAM; the connection's does", () => {
  const server = serverWithStreams(1, { connectionWindowBytes: WINDOW });
  server.receive(frames.data(1, 16_384), frames.data(1, 16_384), frames.data(1, 16_384).endStream());
  server.http2.consume(server.stream(1), 49_152);
  assert.deepEqual(server.sent(), ["WINDOW_UPDATE +49152"]);
});

test("a stream cannot give back more than it holds", () => {
  const server = serverWithStreams(1).receive(frames.data(1, 10));
  assert.throws(() => server.http2.consume(server.stream(1), 11), UsageError);
  assert.throws(() => server.http2.consume(server.stream(1), Number.NaN), UsageError);
  server.http2.consume(server.stream(1), 10);
  assert.throws(() => server.http2.consume(server.stream(1), 1), /stream 1: 1 octets consumed, but only 0/);
  server.http2.resetStream(server.stream(1), 8);
  server.http2.consume(server.stream(1), 99);
});

test("§6.9 what a reset stream still held comes back to the connection", () => {
  const server = serverWithStreams(2, { connectionWindowBytes: WINDOW });
  server.receive(frames.data(1, 16_384), frames.data(1, 16_384), frames.data(3, 1), frames.rstStream(1, 8));
  assert.deepEqual(server.sent(), ["WINDOW_UPDATE +32768"]);
  assert.equal(server.http2.windows.held, 1);
});

test("§6.9.1 nothing is sent beyond the stream's window; the rest follows each WINDOW_UPDATE", () => {
  const server = serverWithStreams(1, {}, [4, 10]);
  server.http2.sendData(server.stream(1), Buffer.alloc(25), true);
  assert.deepEqual(server.sent(), ["DATA 1 [10]"]);
  assert.deepEqual(server.receive(frames.windowUpdate(1, 5)).sent(), ["DATA 1 [5]"]);
  assert.deepEqual(server.receive(frames.windowUpdate(1, 100)).sent(), ["DATA 1 [10] end"]);
});

test("§6.9.1 nothing is sent beyond the connection's window", () => {
  const server = serverWithStreams(1, {}, [4, 1_000_000]);
  server.http2.sendData(server.stream(1), Buffer.alloc(100_000), true);
  assert.equal(lengths(server.sent()), WINDOW);
  assert.deepEqual(server.receive(frames.windowUpdate(0, 100)).sent(), ["DATA 1 [100]"]);
  assert.equal(lengths(server.receive(frames.windowUpdate(0, 100_000)).sent()), 100_000 - WINDOW - 100);
});

test("§6.9.2 a smaller initial size can make a window negative, and data waits until it is positive again", () => {
  const server = serverWithStreams(2);
  server.http2.sendData(server.stream(1), Buffer.alloc(50_000), false);
  server.sent();
  server.receive(frames.settings([4, 10_000]));
  assert.equal(server.stream(1).sendWindow.available, 10_000 - 50_000);
  server.http2.sendData(server.stream(1), Buffer.alloc(7), true);
  assert.deepEqual(server.sent(), ["SETTINGS ack"]);
  assert.deepEqual(server.receive(frames.windowUpdate(1, 40_000)).sent(), []);
  assert.deepEqual(server.receive(frames.windowUpdate(1, 3)).sent(), ["DATA 1 [3]"]);
  assert.deepEqual(server.receive(frames.settings([4, 10_100])).sent(), ["SETTINGS ack", "DATA 1 [4] end"]);
});

test("§6.9.2 a window that shrinks while its stream waits for its turn sends nothing", () => {
  const server = serverWithStreams(2, {}, [4, 100_000]);
  server.http2.sendData(server.stream(1), Buffer.alloc(WINDOW), false);
  server.http2.sendData(server.stream(3), Buffer.alloc(10), true);
  server.http2.sendData(server.stream(1), Buffer.alloc(10), true);
  server.sent();
  server.receive(frames.settings([4, 0]), frames.windowUpdate(0, 1_000));
  assert.deepEqual(server.sent(), ["SETTINGS ack"]);
  assert.deepEqual(server.receive(frames.settings([4, 100_000])).sent(), [
    "SETTINGS ack",
    "DATA 1 [10] end",
    "DATA 3 [10] end",
  ]);
});

test("§6.9.1 an empty last frame needs no window and waits for nobody", () => {
  const server = serverWithStreams(2, {}, [4, 0]);
  server.http2.sendData(server.stream(1), Buffer.alloc(5), false);
  server.http2.sendData(server.stream(3), Buffer.alloc(0), true);
  assert.deepEqual(server.sent(), ["DATA 3 [0] end"]);
});

test("§6.1 an empty frame that ends nothing is not sent", () => {
  const server = serverWithStreams(1, {}, [4, 0]);
  assert.equal(server.http2.sendData(server.stream(1), Buffer.alloc(0), false), true);
  server.http2.sendTrailers(server.stream(1), Buffer.alloc(0));
  assert.deepEqual(server.sent(), ["HEADERS 1 end"]);
});

test("a message larger than both windows arrives whole once it is expected", () => {
  const pair = ConnectionPair.ready({ server: { ...FIXED, connectionWindowBytes: WINDOW } });
  const messageBytes = 4 * 1024 * 1024;
  let received = 0;
  pair.server.sink.react.onData = (stream, _bytes, start, end) => {
    if (received === 0) pair.server.http2.expect(stream, messageBytes - (end - start));
    received += end - start;
  };
  const stream = pair.client.http2.openStream();
  pair.client.http2.sendHeaders(
    stream,
    [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", "/"],
    ].map(([name, value]) => ({ name: name!, value: value!, indexing: 1 as const })),
    false,
  );
  pair.client.http2.sendData(stream, Buffer.alloc(messageBytes), true);
  pair.drive();
  assert.equal(received, messageBytes);
  pair.server.http2.consume([...pair.server.http2.streams()][0]!, messageBytes);
  pair.drive();
  assert.deepEqual(pair.server.http2.windows, { send: 1_048_576, receive: WINDOW, held: 0 });
  assert.equal(pair.client.http2.windows.send, WINDOW);
});

test("expecting less than is open costs nothing", () => {
  const server = serverWithStreams(1).receive(frames.data(1, 1_000));
  server.http2.expect(server.stream(1), 1_000);
  server.http2.expect(server.stream(1), 0);
  assert.deepEqual(server.sent(), []);
});

test("expecting announces what was returned before it grants anything on top", () => {
  const server = serverWithStreams(1).receive(frames.data(1, 16_384), frames.data(1, 16_000));
  server.http2.consume(server.stream(1), 32_384);
  server.http2.expect(server.stream(1), WINDOW);
  assert.deepEqual(server.sent(), ["WINDOW_UPDATE 1 +32384"]);
});

for (const messageBytes of [WINDOW, 70_000, 1_000_000]) {
  test(`§6.9 many streams with incomplete messages of ${messageBytes} octets never wedge the connection`, () => {
    const count = 40;
    const pair = ConnectionPair.ready({ server: { connectionWindowBytes: 100_000 } });
    const received = new Map<number, number>();
    let complete = 0;
    pair.server.sink.react.onData = (stream, _bytes, start, end) => {
      const total = (received.get(stream.id) ?? 0) + end - start;
      received.set(stream.id, total);
      if (total < messageBytes) pair.server.http2.expect(stream, messageBytes - total);
      else {
        complete++;
        pair.server.http2.consume(stream, messageBytes);
      }
    };
    const fields = [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", "/"],
    ].map(([name, value]) => ({ name: name!, value: value!, indexing: 1 as const }));
    for (let index = 0; index < count; index++) {
      const stream = pair.client.http2.openStream();
      pair.client.http2.sendHeaders(stream, fields, false);
      pair.client.http2.sendData(stream, Buffer.alloc(messageBytes), true);
    }
    pair.drive();
    assert.equal(complete, count);
    assert.equal(pair.server.http2.windows.held, 0);
  });
}

test("§6.9 grants of streams that die unused are paid back, so the window does not grow without end", () => {
  const server = CoreUnderTest.ready("server", { connectionWindowBytes: WINDOW });
  for (let index = 0; index < 1_000; index++) {
    const id = 1 + 2 * index;
    server.receive(request(id), frames.data(id, 5));
    server.http2.expect(server.stream(id), 1_000_000);
    server.receive(frames.rstStream(id, 8));
    server.sent();
  }
  assert.ok(server.http2.windows.receive < 1_200_000, String(server.http2.windows.receive));
  assert.equal(server.http2.windows.held, 0);
});

test("§6.1 a message that was granted arrives whole however much its frames are padded, and both windows are as before", () => {
  for (const [payload, padding] of [
    [5, 255],
    [100, 100],
    [15_000, 255],
  ] as const) {
    const bytes = 100_000;
    const server = CoreUnderTest.ready("server", { connectionWindowBytes: 65_535 });
    server.receive(frames.headers(1).request("POST", "/s/m"));
    const stream = server.stream(1);
    server.http2.expect(stream, bytes);
    server.sent();
    let room = { stream: stream.receiveWindow.open, connection: server.http2.windows.receive };
    for (let left = bytes; left > 0; ) {
      const length = Math.min(payload, left);
      const cost = length + padding + 1;
      assert.ok(
        room.stream >= cost && room.connection >= cost,
        `${left} octets left, room for ${JSON.stringify(room)}`,
      );
      server.receive(frames.data(1, length).padded(padding));
      left -= length;
      room = { stream: stream.receiveWindow.open, connection: server.http2.windows.receive };
    }
    assert.equal(server.http2.isClosed, false);
    server.http2.consume(stream, bytes);
    server.receive(frames.data(1, 0).endStream());
    server.http2.sendHeaders(stream, [], true);
    assert.deepEqual([server.http2.windows.held, server.http2.streamCount], [0, 0]);
    assert.ok(server.http2.windows.receive * 3 > 65_535 * 2 - 3, "all but a batch of the connection's window is open");
  }
});
