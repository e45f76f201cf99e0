import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/http2/usage-error.ts";
import { ConnectionPair, CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const request = (id: number) => frames.headers(id).request("POST", "/");

test("§5.1.1 stream ids of a client are odd and grow; gaps close what they skip", () => {
  const server = CoreUnderTest.ready("server").receive(request(1), request(7).endStream(), request(9));
  assert.equal(server.events().length, 3);
  assert.equal(server.receive(frames.windowUpdate(5, 1), frames.rstStream(3, 8)).http2.isClosed, false);
  server.receive(request(5));
  assert.deepEqual(server.events(), ["closed PROTOCOL_ERROR stream-id-not-increasing library"]);
});

test("§5.1.1 an id of the other side is a connection error", () => {
  assert.equal(CoreUnderTest.ready("server").receive(request(2)).http2.fault?.cause, "stream-id-of-the-other-side");
  const client = CoreUnderTest.ready("client").receive(frames.headers(2).response(200));
  assert.equal(client.http2.fault?.cause, "stream-id-of-the-other-side");
});

test("§5.1.2 a stream beyond MAX_CONCURRENT_STREAMS is refused, and room comes back with every end", () => {
  const server = CoreUnderTest.ready("server", { maxConcurrentStreams: 2 });
  server.receive(
    request(1),
    request(3),
    request(5),
    frames.data(5, "late").endStream(),
    frames.rstStream(1, 8),
    request(7),
  );
  assert.deepEqual(server.sent(), ["RST_STREAM 5 REFUSED_STREAM"]);
  assert.deepEqual(
    server.events().map((line) => line.split(" :")[0]),
    ["headers 1", "headers 3", "reset 1 CANCEL remote", "headers 7"],
  );
  assert.equal(server.http2.faultCounts.get("too-many-streams"), 1);
  assert.equal(server.http2.streamCount, 2);
});

test("§5.1.2 exactly MAX_CONCURRENT_STREAMS at once, over and over, hurt nobody", () => {
  const server = CoreUnderTest.ready("server", { maxConcurrentStreams: 100 });
  for (let round = 0; round < 20; round++) {
    const ids = Array.from({ length: 100 }, (_, index) => 1 + 2 * (100 * round + index));
    server.receive(...ids.map((id) => request(id).endStream()));
    for (const id of ids) server.http2.sendHeaders(server.stream(id), [], true);
  }
  assert.equal(server.http2.faultCounts.size, 0);
  assert.equal(server.http2.streamCount, 0);
});

test("§5.1.2 a client keeps to the server's limit, and to a lower one that comes later", () => {
  const client = CoreUnderTest.ready("client", {}, [3, 2]);
  const streams = [client.http2.openStream(), client.http2.openStream()];
  assert.equal(client.http2.canOpenStream, false);
  assert.throws(() => client.http2.openStream(), UsageError);
  for (const stream of streams) client.http2.resetStream(stream, 8);
  assert.deepEqual(client.sent(), [], "§5.1: an idle stream is not reset");
  client.receive(frames.settings([3, 0]));
  assert.equal(client.http2.canOpenStream, false);
});

test("§3.4 a client opens no stream before the server's SETTINGS", () => {
  const client = new CoreUnderTest("client");
  assert.equal(client.http2.canOpenStream, false);
  assert.equal(client.receive(frames.settings()).http2.canOpenStream, true);
});

test("§8.4 a server opens no stream", () => {
  const server = CoreUnderTest.ready("server");
  assert.equal(server.http2.canOpenStream, false);
  assert.throws(() => server.http2.openStream(), UsageError);
});

test("§5.1.1 streams begin in the order of their ids", () => {
  const client = CoreUnderTest.ready("client");
  const [first, second] = [client.http2.openStream(), client.http2.openStream()];
  client.http2.sendHeaders(second, [], true);
  assert.throws(() => client.http2.sendHeaders(first, [], true), /stream 1 begins after stream 3/);
  client.http2.resetStream(first, 8);
  assert.deepEqual(client.sent(), ["HEADERS 3 end"]);
});

test("§5.1 a server that answers a stream which has not begun breaks the connection", () => {
  for (const frame of [
    frames.headers(1).response(200),
    frames.data(1, "a"),
    frames.rstStream(1, 8),
    frames.windowUpdate(1, 1),
  ]) {
    const client = CoreUnderTest.ready("client");
    client.http2.openStream();
    assert.equal(client.receive(frame).http2.fault?.code, 1);
  }
});

test("a request and its answer leave no stream behind on either side", () => {
  const pair = ConnectionPair.ready();
  pair.server.sink.react.onHeaders = (stream) =>
    pair.server.http2.sendHeaders(stream, [{ name: ":status", value: "200", indexing: 1 }], true);
  const stream = pair.client.http2.openStream();
  const fields = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
  ].map(([name, value]) => ({ name: name!, value: value!, indexing: 0 as const }));
  pair.client.http2.sendHeaders(stream, fields, true);
  pair.drive();
  assert.deepEqual(pair.client.sink.take(), ["headers 1 end :status=200"]);
  assert.equal(pair.client.http2.streamCount + pair.server.http2.streamCount, 0);
  assert.equal(stream.isClosed, true);
});
