import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Http2Options } from "../../src/http2/options.ts";
import type { Http2Stream, OutboundBlock } from "../../src/http2/stream.ts";
import { UsageError } from "../../src/http2/usage-error.ts";
import { ConnectionPair, type PairSide } from "../../src/testing/connection-pair.ts";

type Act = (pair: ConnectionPair, side: PairSide, stream: Http2Stream | undefined) => void;

const REQUEST: OutboundBlock = [":method", ":scheme", ":path"].map((name) => ({ name, value: "/x", indexing: 0 }));
const RESPONSE: OutboundBlock = [{ name: ":status", value: "200", indexing: 0 }];
const TRAILERS: OutboundBlock = [{ name: "grpc-status", value: "0", indexing: 0 }];

const headersSent = new WeakSet<Http2Stream>();

function sendHeadersOnce(pair: ConnectionPair, side: PairSide, stream: Http2Stream): void {
  if (headersSent.has(stream)) return;
  side.http2.sendHeaders(stream, side === pair.client ? REQUEST : RESPONSE, false);
  headersSent.add(stream);
}

/** What a layer above may do at any moment, in any state. */
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constant<Act>(
      (pair) =>
        void (pair.client.http2.canOpenStream && sendHeadersOnce(pair, pair.client, pair.client.http2.openStream())),
    ),
  },
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(0, 1, 100, 20_000, 150_000), fc.boolean()).map(
      ([bytes, end]): Act =>
        (pair, side, stream) => {
          if (stream === undefined) return;
          sendHeadersOnce(pair, side, stream);
          side.http2.sendData(stream, Buffer.alloc(bytes), end);
        },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constant<Act>((pair, side, stream) => {
      if (stream === undefined) return;
      sendHeadersOnce(pair, side, stream);
      side.http2.sendTrailers(stream, TRAILERS);
    }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(0, 5, 3_000), fc.nat(3)).map(
      ([bytes, kind]): Act =>
        (pair, side, stream) => {
          if (stream === undefined) return;
          sendHeadersOnce(pair, side, stream);
          const at = side.http2.reserve(stream, undefined, bytes);
          if (at < 0) return;
          if (kind === 3) side.http2.sendPing(1);
          if (kind === 2) side.http2.rollback();
          else side.http2.commit(Math.min(bytes, side.http2.reservedLimit), kind === 1 ? Buffer.alloc(0) : undefined);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0, 8).map(
      (code): Act =>
        (_pair, side, stream) =>
          stream && side.http2.resetStream(stream, code),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Act>((_pair, side, stream) => stream && side.http2.resetWhenDone(stream)) },
  {
    weight: 8,
    arbitrary: fc.constant<Act>(
      (_pair, side, stream) => stream && side.http2.consume(stream, stream.receiveWindow.held),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 500_000).map(
      (bytes): Act =>
        (_pair, side, stream) =>
          stream && side.http2.expect(stream, bytes),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Act>((_pair, side) => side.http2.sendPing(7)) },
  {
    weight: 10,
    arbitrary: fc.nat(5).map(
      (steps): Act =>
        (pair) => {
          for (let count = 0; count <= steps; count++) pair.step();
        },
    ),
  },
  { weight: 3, arbitrary: fc.constant<Act>((pair) => pair.drive()) },
);

const OPTIONS: readonly Http2Options[] = [
  {},
  { initialStreamWindowBytes: 1, connectionWindowBytes: 65_535, maxConcurrentStreams: 2 },
  { initialStreamWindowBytes: 1_000_000, outputHighWaterBytes: 65_536, streamHighWaterBytes: 1 },
  { headerTableBytes: 0, initialStreamWindowBytes: 100, maxStreamWindowBytes: 100_000 },
  { maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 },
  { maxFrameBytes: 100_000, headerTableBytes: 65_536 },
];

/** Ends what is left as a layer above would: everything consumed, everything open reset. */
function finish(pair: ConnectionPair): void {
  for (const { http2 } of [pair.client, pair.server]) {
    for (const stream of [...http2.streams()]) http2.consume(stream, stream.receiveWindow.held);
  }
  pair.drive();
  for (const stream of [...pair.client.http2.streams()]) pair.client.http2.resetStream(stream, 8);
  pair.drive();
  for (const stream of [...pair.server.http2.streams()]) pair.server.http2.resetStream(stream, 8);
  pair.drive();
}

test("random operations of two honest sides never wedge, never throw but for misuse, and leave no stream", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(act, fc.nat(), fc.boolean()), { maxLength: 150 }),
      fc.constantFrom(...OPTIONS),
      fc.constantFrom(...OPTIONS),
      fc.constantFrom(Number.POSITIVE_INFINITY, 1_000, 7),
      fc.boolean(),
      fc.boolean(),
      (acts, client, server, chunkBytes, drains, isReady) => {
        const options = { client, server, chunkBytes: () => chunkBytes };
        const pair = isReady ? ConnectionPair.ready(options) : new ConnectionPair(options);
        for (const [operate, choice, atClient] of acts) {
          const side = atClient ? pair.client : pair.server;
          const streams = [...side.http2.streams()];
          try {
            operate(pair, side, streams[choice % Math.max(1, streams.length)]);
          } catch (error) {
            if (!(error instanceof UsageError)) throw error;
          }
        }
        pair.drive();
        if (drains) pair.server.http2.beginDrain(pair.clock.nowMs);
        finish(pair);
        for (const { http2, sink } of [pair.client, pair.server]) {
          assert.equal(http2.fault, undefined, http2.fault?.cause);
          assert.equal(http2.streamCount, 0, sink.take().join("\n"));
          assert.equal(http2.windows.held, 0);
          assert.equal(http2.nextTimeout(), Number.POSITIVE_INFINITY);
        }
        assert.equal(pair.client.http2.windows.receive, pair.server.http2.windows.send, "both count the same");
        assert.equal(pair.server.http2.windows.receive, pair.client.http2.windows.send, "both count the same");
      },
    ),
    { numRuns: 400 },
  );
});

test("all that is sent arrives: bodies through every combination of options and chunks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(200_000), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...OPTIONS.slice(0, 1), ...OPTIONS.slice(2)),
      fc.constantFrom(...OPTIONS.slice(0, 1), ...OPTIONS.slice(2)),
      fc.constantFrom(Number.POSITIVE_INFINITY, 10_000, 1_400),
      (sizes, client, server, chunkBytes) => {
        const pair = new ConnectionPair({ client, server, chunkBytes: () => chunkBytes });
        while (!pair.client.http2.canOpenStream) pair.step();
        const received = new Map<Http2Stream, number>();
        for (const side of [pair.client, pair.server]) {
          side.sink.react.onData = (stream, _bytes, start, end, endStream) => {
            received.set(stream, (received.get(stream) ?? 0) + end - start);
            side.http2.consume(stream, end - start);
            if (side === pair.client) return;
            sendHeadersOnce(pair, side, stream);
            if (end > start) side.http2.sendData(stream, Buffer.alloc(end - start), false);
            if (endStream) side.http2.sendTrailers(stream, TRAILERS);
          };
        }
        const streams = sizes.map((bytes) => {
          const stream = pair.client.http2.openStream();
          sendHeadersOnce(pair, pair.client, stream);
          pair.client.http2.sendData(stream, Buffer.alloc(bytes), true);
          return stream;
        });
        pair.drive();
        assert.deepEqual(
          streams.map((stream) => received.get(stream) ?? 0),
          sizes,
        );
        assert.equal(pair.client.http2.streamCount + pair.server.http2.streamCount, 0);
      },
    ),
    { numRuns: 60 },
  );
});
