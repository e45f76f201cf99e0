import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Connection } from "../../src/http2/connection.ts";
import { UsageError } from "../../src/http2/usage-error.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const HEADERS = Buffer.of(0x88);
const TRAILERS = Buffer.alloc(0);

function serverWithStreams(count: number, ...settings: readonly (readonly [number, number])[]): CoreUnderTest {
  const server = CoreUnderTest.ready("server", {}, ...settings);
  for (let index = 0; index < count; index++)
    server.receive(
      frames
        .headers(1 + 2 * index)
        .request("POST", "/")
        .endStream(),
    );
  server.events();
  return server;
}

function writeMessage(http2: Http2Connection, at: number, text: string): void {
  assert.ok(at > 0 && text.length <= http2.reservedLimit);
  http2.outputBytes.write(text, at, "latin1");
}

test("headers, message and trailers leave as one transaction, and the stream is over", () => {
  const server = serverWithStreams(1);
  const at = server.http2.reserve(server.stream(1), HEADERS, 5);
  writeMessage(server.http2, at, "hello");
  assert.equal(server.http2.commit(5, TRAILERS), true);
  const octets = server.sentBytes();
  assert.equal(octets.toString("hex"), "0000010104000000018800000500000000000168656c6c6f000000010500000001");
  assert.equal(server.http2.streamCount, 0);
  assert.equal(server.http2.windows.send, 65_530);
});

test("without trailers the stream stays open, and further messages need no headers", () => {
  const server = serverWithStreams(1);
  const stream = server.stream(1);
  writeMessage(server.http2, server.http2.reserve(stream, HEADERS, 1), "a");
  assert.equal(server.http2.commit(1, undefined), true);
  writeMessage(server.http2, server.http2.reserve(stream, undefined, 2), "bc");
  assert.equal(server.http2.commit(2, undefined), true);
  server.http2.sendTrailers(stream, []);
  assert.deepEqual(server.sent(), ["HEADERS 1 :status=200", "DATA 1 [1]", "DATA 1 [2]", "HEADERS 1 end"]);
});

test("§8.1 a client's last message carries END_STREAM itself", () => {
  const client = CoreUnderTest.ready("client");
  const stream = client.http2.openStream();
  assert.equal(client.http2.reserve(stream, undefined, 1), -1, "§5.1: DATA does not open a stream");
  writeMessage(client.http2, client.http2.reserve(stream, HEADERS, 1), "a");
  assert.equal(client.http2.commit(1, undefined, true), true);
  assert.deepEqual(client.sent(), ["HEADERS 1 :status=200", "DATA 1 [1] end"]);
  assert.equal(stream.isLocalDone, true);
  assert.equal(client.http2.reserve(stream, undefined, 1), -1);
});

test("a rollback leaves no octet and no state", () => {
  const server = serverWithStreams(1);
  const stream = server.stream(1);
  server.http2.reserve(stream, HEADERS, 5);
  server.http2.rollback();
  assert.deepEqual(server.sent(), []);
  assert.equal(stream.sendWindow.available, 65_535);
  server.http2.sendHeaders(stream, [], true);
  assert.deepEqual(server.sent(), ["HEADERS 1 end"]);
});

for (const [name, act] of [
  ["sends on another stream", (server: CoreUnderTest) => server.http2.sendHeaders(server.stream(3), HEADERS, true)],
  ["sends on the same stream", (server: CoreUnderTest) => server.http2.sendHeaders(server.stream(1), HEADERS, false)],
  [
    "sends much",
    (server: CoreUnderTest) => void server.http2.sendData(server.stream(3), Buffer.alloc(60_000, 7), true),
  ],
  ["resets the stream", (server: CoreUnderTest) => server.http2.resetStream(server.stream(1), 8)],
  ["pings", (server: CoreUnderTest) => server.http2.sendPing(3)],
  ["closes the connection", (server: CoreUnderTest) => server.http2.close()],
  ["loses the transport", (server: CoreUnderTest) => server.http2.handleTransportClosed()],
] as const) {
  test(`a commit is false, and nothing of it is seen, where user code meanwhile ${name}`, () => {
    const server = serverWithStreams(2);
    server.http2.sendPing(1);
    const at = server.http2.reserve(server.stream(1), HEADERS, 5);
    const target = server.http2.outputBytes;
    act(server);
    target.fill(0xee, at, at + 5);
    assert.equal(server.http2.commit(5, TRAILERS), false);
    const expected = serverWithStreams(2);
    expected.http2.sendPing(1);
    act(expected);
    assert.deepEqual(server.sent(), expected.sent());
    if (!server.http2.isClosed && !server.stream(3).isClosed)
      assert.ok(server.http2.reserve(server.stream(3), HEADERS, 1) > 0);
  });
}

test("a commit is false where user code meanwhile queued data on the same stream, which must go first", () => {
  const server = serverWithStreams(1, [4, 0]);
  const stream = server.stream(1);
  server.http2.sendHeaders(stream, HEADERS, false);
  server.sent();
  assert.ok(server.http2.reserve(stream, undefined, 0) > 0);
  server.http2.sendData(stream, Buffer.alloc(3), false);
  assert.equal(server.http2.commit(0, TRAILERS), false);
  server.http2.sendTrailers(stream, []);
  assert.deepEqual(server.receive(frames.windowUpdate(1, 3)).sent(), ["DATA 1 [3]", "HEADERS 1 end"]);
});

test("output taken during a reservation leaves in a buffer of its own", () => {
  const server = serverWithStreams(2);
  server.http2.sendPing(1);
  const at = server.http2.reserve(server.stream(1), HEADERS, 5);
  const target = server.http2.outputBytes;
  const taken = server.http2.takeOutput();
  assert.equal(taken?.bytes.length, 17);
  assert.notEqual(taken?.owner, target);
  target.fill(0xee, at, at + 5);
  assert.equal(server.http2.commit(5, TRAILERS), false);
  assert.deepEqual(server.sent(), []);
});

test("the first 8 KiB of messages that answer a chunk are announced as urgent, the rest waits for the end of the turn", () => {
  const server = serverWithStreams(1);
  const stream = server.stream(1);
  const announced: string[] = [];
  server.sink.react = {
    onOutput(urgent) {
      announced.push(urgent ? `urgent at ${server.sentBytes().length}` : "end of turn");
    },
  };
  const answer = (): void => {
    for (let count = 0; count < 5; count++) {
      server.http2.reserve(stream, count === 0 && announced.length === 0 ? HEADERS : undefined, 2_991);
      server.http2.commit(2_991, undefined);
    }
  };
  answer();
  assert.deepEqual(announced, ["end of turn", "urgent at 9010", "end of turn"]);
  server.sent();
  announced.length = 0;
  answer();
  assert.deepEqual(announced, ["end of turn"], "no chunk came since");
  server.sent();
  server.clock.advance(1);
  server.receive(frames.windowUpdate(0, 1));
  announced.length = 0;
  server.http2.reserve(stream, undefined, 8_183);
  server.http2.commit(8_183, undefined);
  assert.deepEqual(announced, ["end of turn", "urgent at 8192"]);
});

test("one reservation at a time; a second one is told to use the send path", () => {
  const server = serverWithStreams(2);
  const at = server.http2.reserve(server.stream(1), HEADERS, 1);
  assert.equal(server.http2.reserve(server.stream(3), HEADERS, 1), -1);
  writeMessage(server.http2, at, "a");
  assert.equal(server.http2.commit(1, undefined), true);
});

test("§6.9 nothing is granted beyond either window, on queued data or a stream that has ended", () => {
  const narrow = serverWithStreams(1, [4, 10]);
  assert.equal(narrow.http2.reserve(narrow.stream(1), HEADERS, 11), -1);
  assert.ok(narrow.http2.reserve(narrow.stream(1), HEADERS, 10) > 0);
  assert.equal(narrow.http2.reservedLimit, 10);
  narrow.http2.rollback();
  narrow.http2.sendHeaders(narrow.stream(1), HEADERS, false);
  narrow.http2.sendData(narrow.stream(1), Buffer.alloc(11), false);
  assert.equal(narrow.http2.reserve(narrow.stream(1), undefined, 0), -1, "the stream has data queued");
  narrow.receive(frames.settings([4, 0]), frames.windowUpdate(1, 1));
  assert.equal(narrow.http2.reserve(narrow.stream(1), undefined, 0), -1);

  const negative = serverWithStreams(1);
  negative.http2.sendHeaders(negative.stream(1), HEADERS, false);
  negative.http2.sendData(negative.stream(1), Buffer.alloc(100), false);
  negative.receive(frames.settings([4, 50]));
  assert.equal(negative.http2.reserve(negative.stream(1), undefined, 0), -1, "a negative window");

  const ended = serverWithStreams(1);
  ended.http2.sendHeaders(ended.stream(1), HEADERS, true);
  assert.equal(ended.http2.reserve(ended.stream(1), undefined, 1), -1);
});

test("§4.3 nothing is granted while a table size update is due, nor for a block larger than a frame", () => {
  const due = serverWithStreams(1).receive(frames.settings([1, 0]));
  assert.equal(due.http2.reserve(due.stream(1), HEADERS, 1), -1);
  const large = serverWithStreams(1);
  assert.equal(large.http2.reserve(large.stream(1), Buffer.alloc(16_385, 0x88), 1), -1);
  writeMessage(large.http2, large.http2.reserve(large.stream(1), HEADERS, 1), "a");
  assert.equal(large.http2.commit(1, Buffer.alloc(16_385, 0x88)), false);
  assert.deepEqual(large.sent(), []);
});

test("the output grows for a large estimate and keeps what it had", () => {
  const server = serverWithStreams(2, [4, 1_000_000], [5, 1_000_000]).receive(frames.windowUpdate(0, 1_000_000));
  server.http2.sendHeaders(server.stream(3), HEADERS, false);
  const at = server.http2.reserve(server.stream(1), HEADERS, 200_000);
  assert.ok(at > 0 && server.http2.reservedLimit >= 200_000);
  server.http2.outputBytes.fill(1, at, at + 200_000);
  assert.equal(server.http2.commit(200_000, TRAILERS), true);
  assert.deepEqual(server.sent(), [
    "HEADERS 3 :status=200",
    "HEADERS 1 :status=200",
    "DATA 1 [200000]",
    "HEADERS 1 end",
  ]);
});

test("trailers larger than the room kept for them still follow", () => {
  const server = serverWithStreams(1);
  const at = server.http2.reserve(server.stream(1), HEADERS, 5);
  const message = "x".repeat(server.http2.reservedLimit);
  writeMessage(server.http2, at, message);
  assert.equal(server.http2.commit(message.length, Buffer.alloc(3_000, 0x88)), true);
  const sent = server.sent();
  assert.equal(sent[1], `DATA 1 [${message.length}]`);
  assert.match(sent[2] ?? "", /^HEADERS 1 end :status=200/);
});

test("a commit of more than was reserved, or of nothing, is a UsageError", () => {
  const server = serverWithStreams(1);
  assert.throws(() => server.http2.commit(0, undefined), UsageError);
  server.http2.reserve(server.stream(1), HEADERS, 5);
  assert.throws(() => server.http2.commit(server.http2.reservedLimit + 1, undefined), UsageError);
  server.http2.rollback();
  assert.ok(server.http2.reserve(server.stream(1), HEADERS, 5) > 0);
});

test("§8.1 resetWhenDone resets with NO_ERROR as soon as our side has ended, on every path", () => {
  for (const path of ["trailers", "data", "queued", "commit", "before"] as const) {
    const server = CoreUnderTest.ready("server", {}, [4, path === "queued" ? 0 : 1_000]);
    server.receive(frames.headers(1).request("POST", "/"));
    const stream = server.stream(1);
    if (path !== "commit") server.http2.sendHeaders(stream, HEADERS, false);
    if (path !== "before") server.http2.resetWhenDone(stream);
    if (path === "trailers" || path === "before") server.http2.sendTrailers(stream, []);
    else if (path === "data" || path === "queued") server.http2.sendData(stream, Buffer.alloc(9), true);
    else {
      writeMessage(server.http2, server.http2.reserve(stream, HEADERS, 1), "a");
      server.http2.commit(1, TRAILERS);
    }
    if (path === "before") server.http2.resetWhenDone(stream);
    if (path === "queued") server.receive(frames.windowUpdate(1, 9));
    assert.deepEqual([server.sent().at(-1), path], ["RST_STREAM 1 NO_ERROR", path]);
    assert.equal(server.http2.streamCount, 0);
    assert.equal(server.receive(frames.data(1, "late")).http2.isClosed, false);
  }
});
