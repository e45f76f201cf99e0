import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";

const request = (id: number) => frames.headers(id).request("POST", "/");
const trailers = (id: number) =>
  frames
    .headers(id)
    .fields([["a", "b"]])
    .endStream();

/** Stream 1 of a server, over in one of the ways a stream can be over. */
const OVER = {
  "reset by us": (server: CoreUnderTest) => server.http2.resetStream(server.receive(request(1)).stream(1), 8),
  "refused by us": (server: CoreUnderTest) => void server.receive(frames.headers(1).fields([])),
  "reset by the peer": (server: CoreUnderTest) => void server.receive(request(1), frames.rstStream(1, 8)),
  "ended by both": (server: CoreUnderTest) =>
    server.http2.sendHeaders(server.receive(request(1).endStream()).stream(1), [], true),
} as const;

for (const [how, makeOver] of Object.entries(OVER)) {
  const isOurs = how.endsWith("by us");
  for (const [name, frame, isHarmless] of [
    ["DATA", frames.data(1, "late"), isOurs],
    ["HEADERS", trailers(1), isOurs],
    ["RST_STREAM", frames.rstStream(1, 8), true],
    ["WINDOW_UPDATE", frames.windowUpdate(1, 1), true],
    ["PRIORITY", frames.priority(1, 0), true],
  ] as readonly (readonly [string, FrameBuilder, boolean])[]) {
    test(`§5.1 ${name} on a stream ${how} ${isHarmless ? "is late and ignored" : "ends the connection"}`, () => {
      const server = CoreUnderTest.ready("server", { connectionWindowBytes: 65_535 });
      makeOver(server);
      server.sent();
      server.events();
      server.receive(frame);
      const closed = [
        "closed STREAM_CLOSED frame-after-end-of-stream library",
        "closed STREAM_CLOSED headers-after-end-of-stream library",
      ];
      assert.deepEqual(server.events(), isHarmless ? [] : [closed[name === "DATA" ? 0 : 1]]);
      assert.equal(server.http2.windows.held, 0);
      assert.equal(server.http2.isClosed, !isHarmless);
    });
  }
}

test("§5.1 DATA under way to a stream we reset costs the connection's window nothing, however much it is", () => {
  const server = CoreUnderTest.ready("server", { connectionWindowBytes: 65_535 }).receive(request(1));
  server.http2.resetStream(server.stream(1), 0);
  for (let count = 0; count < 1_000; count++) {
    server.receive(frames.data(1, 10_000).padded(100));
    server.sent();
  }
  assert.equal(server.http2.isClosed, false);
});

test("§5.1 a stream that was closed too long ago to be remembered forgives late DATA, WINDOW_UPDATE and RST_STREAM", () => {
  const server = CoreUnderTest.ready("server");
  for (let id = 1; id < 1_001; id += 2) server.receive(request(id), frames.rstStream(id, 8));
  server.receive(frames.data(1, "a"), frames.windowUpdate(1, 1), frames.rstStream(1, 8));
  assert.equal(server.http2.isClosed, false);
  assert.equal(server.http2.windows.held, 0);
});

for (const [name, frame] of [
  ["DATA", frames.data(1, "x")],
  ["HEADERS", trailers(1)],
  ["a WINDOW_UPDATE of 0", frames.windowUpdate(1, 0)],
  ["a WINDOW_UPDATE beyond 2^31-1", frames.windowUpdate(1, 0x7fff_ffff)],
  ["PRIORITY of a wrong length", frames.raw(2, 0, 1, Buffer.alloc(6))],
  ["PRIORITY that depends on itself", frames.priority(1, 1)],
] as const) {
  test(`CVE-2025-8671 ${name} after END_STREAM makes no reset: it ends the connection`, () => {
    const server = CoreUnderTest.ready("server").receive(request(1).endStream());
    server.sent();
    server.receive(frame);
    assert.equal(server.http2.isClosed, true);
    assert.match(
      server.sent().join(),
      /^GOAWAY last=1 (STREAM_CLOSED|PROTOCOL_ERROR|FLOW_CONTROL_ERROR|FRAME_SIZE_ERROR) "/,
    );
  });
}

test("§6.4 the peer's reset is reported once, with its code, known or not", () => {
  const server = CoreUnderTest.ready("server").receive(request(1), request(3));
  server.events();
  server.receive(frames.rstStream(1, 8), frames.rstStream(1, 8), frames.rstStream(3, 0xdead_beef));
  assert.deepEqual(server.events(), ["reset 1 CANCEL remote", "reset 3 0xdeadbeef remote"]);
  assert.deepEqual(server.sent(), []);
});

test("CVE-2019-9512 PINGs whose answers are not taken pause reading at maxProvokedFrames; taking resumes it", () => {
  const server = CoreUnderTest.ready("server", { maxProvokedFrames: 10 });
  for (let count = 0; count < 9; count++) server.receive(frames.ping());
  assert.equal(server.http2.mayRead, true, "a keen but honest peer");
  server.receive(frames.ping());
  assert.equal(server.http2.mayRead, false);
  server.sent();
  assert.equal(server.http2.mayRead, true);
});

for (const [name, provoke] of [
  ["CVE-2019-9515 SETTINGS", () => [frames.settings()]],
  ["CVE-2019-9514 malformed requests", (round: number) => [frames.headers(1 + 2 * round).fields([])]],
  ["CVE-2019-9514 refused streams", (round: number) => [request(1 + 2 * round)]],
  ["CVE-2025-8671 stream errors", (round: number) => [request(1 + 2 * round), frames.windowUpdate(1 + 2 * round, 0)]],
] as readonly (readonly [string, (round: number) => FrameBuilder[]])[]) {
  test(`${name} whose answers are not taken pause reading too`, () => {
    const server = CoreUnderTest.ready("server", { maxProvokedFrames: 10, maxConcurrentStreams: 1 });
    let rounds = 0;
    while (server.http2.mayRead && rounds < 100) server.receive(...provoke(rounds++));
    assert.ok(rounds >= 10 && rounds <= 11, String(rounds));
  });
}

test("WINDOW_UPDATEs that we owe never pause reading, so that two full sides cannot block each other", () => {
  const server = CoreUnderTest.ready("server", { maxProvokedFrames: 1, connectionWindowBytes: 65_535 }).receive(
    request(1),
  );
  for (let count = 0; count < 1_000; count++) {
    server.receive(frames.data(1, 16_384));
    server.http2.consume(server.stream(1), 16_384);
  }
  assert.equal(server.http2.mayRead, true);
});

test("§8.1 DATA in front of the response's headers is malformed: the stream ends, and its octets are credited", () => {
  for (const interim of [[], [frames.headers(1).response(103)]]) {
    const client = CoreUnderTest.ready("client", { connectionWindowBytes: 65_535 });
    client.http2.sendHeaders(client.http2.openStream(), [], true);
    client.sent();
    client.receive(...interim, frames.data(1, 100).endStream());
    assert.deepEqual(client.events(), ["reset 1 PROTOCOL_ERROR library"]);
    assert.deepEqual(client.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
    assert.equal(client.http2.windows.held, 0);
    assert.equal(client.http2.isClosed, false);
    assert.equal(client.http2.faultCounts.get("data-before-headers"), 1);
  }
});
