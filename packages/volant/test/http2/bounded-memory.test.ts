/** Bounds that no frame shows: what the core keeps for itself while a connection works. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { acquireBuffer, LARGE_BUFFER_BYTES, releaseBuffer, SMALL_BUFFER_BYTES } from "../../src/http2/buffer-pool.ts";
import { ByteCursor } from "../../src/http2/hpack/integer.ts";
import { StringReader } from "../../src/http2/hpack/string-literal.ts";
import { Scheduler } from "../../src/http2/scheduler.ts";
import { Http2Stream } from "../../src/http2/stream.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const SIZES: readonly (readonly [bytes: number, mostKept: number])[] = [
  [SMALL_BUFFER_BYTES, 128],
  [LARGE_BUFFER_BYTES, 32],
];
for (const [bytes, mostKept] of SIZES) {
  test(`of any number of buffers of ${bytes} octets that come back at once ${mostKept} are kept`, () => {
    const lent = new Set(Array.from({ length: 2 * mostKept }, () => acquireBuffer(bytes)));
    for (const buffer of lent) releaseBuffer(buffer);
    const again = Array.from({ length: 2 * mostKept }, () => acquireBuffer(bytes));
    assert.equal(again.filter((buffer) => lent.has(buffer)).length, mostKept);
    for (const buffer of again) releaseBuffer(buffer);
  });
}

test("streams that take turns without end leave no trace in the ring", () => {
  const scheduler = new Scheduler();
  const ring = () => (scheduler as unknown as { readonly ring: readonly Http2Stream[] }).ring.length;
  for (const id of [1, 3, 5]) scheduler.add(new Http2Stream(id, 0, 0));
  for (let turn = 0; turn < 10_000; turn++) {
    const stream = scheduler.takeNext();
    assert.equal(stream?.id, [1, 3, 5][turn % 3]);
    scheduler.add(stream!);
    assert.ok(ring() <= 100, `${ring()} places for 3 streams`);
  }
});

const ENCODINGS = {
  "Huffman-coded": "8cf1e3c2e5f23a6ba0ab90f4ff",
  plain: `0f${Buffer.from("www.example.com").toString("hex")}`,
};
for (const [form, octets] of Object.entries(ENCODINGS)) {
  test(`RFC 7541 §5.2 a ${form} string above the limit leaves its length and no text`, () => {
    const block = Buffer.from(octets, "hex");
    const cursor = new ByteCursor();
    const string = new StringReader();
    const read = (maxOctets: number): boolean => {
      cursor.reset(block, 0, block.length);
      return string.read(cursor, maxOctets);
    };
    assert.equal(read(15), true);
    assert.equal(string.text, "www.example.com");
    assert.equal(read(14), true);
    assert.equal(string.text, "");
    assert.ok(string.octets > 14, `${string.octets} octets`);
    assert.equal(cursor.position, block.length, "it is read to its end all the same");
  });
}

test("a stream that is answered and reset inside its own last octets closes once, and its handler has one place", () => {
  const server = CoreUnderTest.ready("server");
  const { http2, sink } = server;
  sink.react.onHeaders = (stream) => http2.holdSlot(stream);
  sink.react.onData = (stream) => {
    http2.sendHeaders(stream, [], true);
    http2.resetWhenDone(stream);
  };
  for (let id = 1; id < 400; id += 2) {
    server.receive(frames.headers(id).request("POST", "/s/m"), frames.data(id, "not a message"));
    const stream = server.stream(id);
    assert.deepEqual([stream.isClosed, http2.handlersBeyondStreams.held, http2.streamCount], [true, 1, 0]);
    http2.releaseSlot(stream);
    assert.equal(http2.handlersBeyondStreams.held, 0);
  }
  assert.equal(http2.faultCounts.size, 0);
});

test("a connection that is over holds nothing that was queued, also for streams that somebody still refers to", () => {
  const server = CoreUnderTest.ready("server", {}, [4, 0]);
  server.receive(frames.headers(1).request("POST", "/s/m").endStream());
  const stream = server.stream(1);
  server.http2.sendHeaders(stream, [], false);
  server.http2.sendData(stream, Buffer.alloc(1_000_000), true);
  assert.equal(stream.queuedBytes, 1_000_000);
  server.http2.handleTransportClosed();
  assert.equal(stream.queuedBytes, 0);
});
