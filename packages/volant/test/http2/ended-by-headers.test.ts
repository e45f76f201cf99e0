/** Header blocks that end a stream or a connection by themselves, and streams that end before they begin. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const octets = (n: number) => Buffer.alloc(n);
const openClient = () => {
  const client = CoreUnderTest.ready("client");
  client.http2.sendHeaders(client.http2.openStream(), [], false);
  client.sent();
  return client;
};
test("§8.2.1 a pseudo-header whose value is illegal makes a request malformed", () => {
  const server = CoreUnderTest.ready("server");
  server.receive(
    frames
      .headers(1)
      .fields([
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/a\nb"],
      ])
      .endStream(),
  );
  assert.deepEqual(server.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
});
test("§6.10 HEADERS that alone exceed maxHeaderBlockBytes end the connection, one byte less only the stream", () => {
  const limits = { maxHeaderListBytes: 256, maxHeaderBlockBytes: 600 };
  const server = CoreUnderTest.ready("server", limits);
  server.receive(frames.headers(1).block(octets(600)).withoutFlag(4), frames.continuation(1, octets(0)));
  assert.deepEqual(server.sent(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
  server.receive(frames.headers(3).block(octets(601)).withoutFlag(4));
  assert.equal(server.http2.fault?.cause, "header-block-too-large");
});
test("RFC 7540 §5.3.1 trailers that depend on themselves end their stream", () => {
  const server = CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/"));
  server.receive(
    frames
      .headers(1)
      .fields([["a", "b"]])
      .priority(1)
      .endStream(),
  );
  assert.deepEqual(server.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
});
test("§8.1.1 a response that ends with its headers and announces content is malformed", () => {
  const client = openClient().receive(
    frames
      .headers(1)
      .response(200, [["content-length", "5"]])
      .endStream(),
  );
  assert.deepEqual(client.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
});
test("§5.1 HEADERS on an idle stream of ours is a connection error", () => {
  const client = openClient().receive(frames.headers(3).response(200));
  assert.equal(client.http2.fault?.cause, "headers-on-idle-stream");
});
test("§10.5.1 trailers above maxHeaderListBytes end their stream with ENHANCE_YOUR_CALM", () => {
  const server = CoreUnderTest.ready("server", { maxHeaderListBytes: 256 }).receive(
    frames.headers(1).request("POST", "/"),
  );
  server.receive(
    frames
      .headers(1)
      .fields([["a", "b".repeat(300)]])
      .endStream(),
  );
  assert.deepEqual(server.sent(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
});
test("§6.4 a stream that has not begun is given up without RST_STREAM", () => {
  const client = CoreUnderTest.ready("client");
  client.http2.resetStream(client.http2.openStream(), 8);
  assert.deepEqual(client.sent(), []);
});
test("empty HEADERS without END_HEADERS are charged", () => {
  const server = CoreUnderTest.ready("server");
  server.receive(frames.headers(1).block(octets(0)).withoutFlag(4));
  assert.equal(server.http2.faultCounts.get("empty-header-fragment"), 1);
});
test("§5.1.1 a connection that has used its last id opens no further stream", () => {
  const client = CoreUnderTest.ready("client");
  (client.http2 as unknown as { parts: { streams: { nextLocalId: number } } }).parts.streams.nextLocalId = 0x7fff_fffd;
  assert.equal(client.http2.canOpenStream, true);
  client.http2.openStream();
  assert.deepEqual([client.http2.isExhausted, client.http2.canOpenStream], [true, false]);
});
