import assert from "node:assert/strict";
import { test } from "node:test";
import { CHARGES } from "../../src/http2/abuse-policy.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";

const request = (id: number) => frames.headers(id).request("POST", "/");
const unknown = frames.raw(0x2a, 0, 0);

test("in debt reading pauses, nextTimeout says until when, and then it goes on", () => {
  const server = CoreUnderTest.ready("server", { glitchBurst: 10, glitchesPerSecond: 10 });
  for (let count = 0; count < 10; count++) server.receive(unknown);
  assert.equal(server.http2.mayRead, true, "a burst is no debt");
  server.receive(unknown, unknown);
  assert.equal(server.http2.mayRead, false);
  assert.equal(server.http2.nextTimeout(), server.clock.nowMs + 200);
  server.sent();
  assert.equal(server.http2.mayRead, false, "taking output pays nothing back");
  server.advance(200);
  assert.equal(server.http2.mayRead, true);
  assert.equal(server.http2.nextTimeout(), Number.POSITIVE_INFINITY);
});

test("every call that completes gives one back, so that a busy peer is never in debt", () => {
  const server = CoreUnderTest.ready("server", { glitchBurst: 2, glitchesPerSecond: 1 });
  for (let index = 0; index < 1_000; index++) {
    const id = 1 + 2 * index;
    server.receive(unknown, request(id).endStream());
    server.http2.sendHeaders(server.stream(id), [], true);
  }
  assert.equal(server.http2.mayRead, true);
  assert.equal(server.http2.isClosed, false);
});

test("while the reset budget is empty new streams are refused, open ones go on, and it grows back", () => {
  const server = CoreUnderTest.ready("server", { resetBurst: 2, resetsPerSecond: 1 });
  server.receive(request(1), request(3), frames.rstStream(3, 8), request(5), frames.rstStream(5, 8), request(7));
  assert.deepEqual(server.sent(), ["RST_STREAM 7 REFUSED_STREAM"]);
  assert.equal(server.http2.faultCounts.get("reset-budget-spent"), 1);
  server.events();
  server.receive(frames.data(1, "x"));
  server.advance(1_000).receive(request(9));
  assert.deepEqual(
    server.events().map((line) => line.split(" :")[0]),
    ['data 1 "x"', "headers 9"],
  );
  assert.equal(server.http2.mayRead, true);
});

test("a reset after our answer is complete wastes nothing and costs nothing", () => {
  const server = CoreUnderTest.ready("server", { resetBurst: 1, resetsPerSecond: 1 });
  for (const id of [1, 3, 5]) {
    server.receive(request(id));
    server.http2.sendHeaders(server.stream(id), [], true);
    server.receive(frames.rstStream(id, 8));
  }
  server.receive(request(7));
  assert.equal(server.http2.faultCounts.has("reset-budget-spent"), false);
});

/** One of each cause, over and over, at a driver that does not pause when it is told to. */
const CAUSES: Readonly<Record<string, (round: number) => readonly FrameBuilder[]>> = {
  "too-many-streams": (round) => [request(1 + 2 * round)],
  "window-update": () => [frames.windowUpdate(0, 1)],
  "unknown-frame": () => [unknown],
  priority: () => [frames.priority(1, 0)],
  "empty-data": (round) => (round === 0 ? [request(1)] : [frames.data(1, "")]),
  settings: () => [frames.settings()],
  "malformed-headers": (round) => [frames.headers(1 + 2 * round).fields([])],
  "header-list-too-large": (round) => [frames.headers(1 + 2 * round).request("POST", "/", [["a", "x".repeat(300)]])],
};

const STRICT: Http2Options = {
  refusalBurst: 5,
  glitchBurst: 5,
  windowUpdateBurst: 5,
  maxConcurrentStreams: 1,
  maxHeaderListBytes: 256,
};

for (const [cause, makeFrames] of Object.entries(CAUSES)) {
  test(`§5.4.1 too much of ${cause} ends the connection, and GOAWAY says so`, () => {
    const server = CoreUnderTest.ready("server", STRICT);
    for (let round = 0; round < 1_000 && !server.http2.isClosed; round++) server.receive(...makeFrames(round));
    assert.match(server.sent().at(-1) ?? "", new RegExp(`^GOAWAY last=\\d+ ENHANCE_YOUR_CALM "${cause}-flood"$`));
    assert.equal(server.http2.faultCounts.get(`${cause}-flood`), 1);
    assert.ok((server.http2.faultCounts.get(cause) ?? 0) > 0);
    assert.ok(CHARGES.has(cause) || cause === "malformed-headers");
  });
}

for (const [what, frame] of [
  ["ping", frames.ping()],
  ["settings", frames.settings()],
] as const) {
  test(`CVE-2019-9512 more than maxUnsentAnswers to ${what} in one chunk end the connection, as many do not`, () => {
    for (const [count, isOver] of [
      [20, false],
      [21, true],
    ] as const) {
      const server = CoreUnderTest.ready("server", { maxUnsentAnswers: 20 });
      server.receive(...Array.from({ length: count }, () => frame));
      assert.equal(server.http2.isClosed, isOver);
      assert.equal(
        server.sent().some((line) => line.includes(`"${what}-flood"`)),
        isOver,
      );
    }
  });
}

test("CVE-2023-44487 a handler holds its place beyond its stream until it settles, and only once", () => {
  const server = CoreUnderTest.ready("server", { maxConcurrentStreams: 2 });
  const { http2 } = server;
  server.receive(request(1), request(3));
  for (const id of [1, 3]) http2.holdSlot(server.stream(id));
  server.receive(frames.rstStream(1, 8), request(5));
  assert.deepEqual(server.sent(), ["RST_STREAM 5 REFUSED_STREAM"]);
  assert.deepEqual(http2.handlersBeyondStreams, { held: 1, abandoned: 0 });
  http2.releaseSlot(server.stream(1));
  http2.releaseSlot(server.stream(1));
  http2.releaseSlot(server.stream(3));
  assert.equal(http2.nextTimeout(), Number.POSITIVE_INFINITY);
  server.receive(request(7), request(9));
  assert.deepEqual(server.sent(), ["RST_STREAM 9 REFUSED_STREAM"]);
  assert.equal(http2.faultCounts.get("handlers-busy"), 1);
});

test("a handler that never settles gives its place back, bounded, and is counted until it does settle", () => {
  const options = { maxConcurrentStreams: 2, maxAbandonedHandlers: 1, abandonedHandlerMs: 1_000 };
  const server = CoreUnderTest.ready("server", options).receive(request(1), request(3));
  for (const id of [1, 3]) server.http2.holdSlot(server.stream(id));
  server.receive(frames.rstStream(1, 8), frames.rstStream(3, 8));
  server.advance(999);
  assert.deepEqual(server.http2.handlersBeyondStreams, { held: 2, abandoned: 0 });
  server.advance(501);
  assert.deepEqual(server.http2.handlersBeyondStreams, { held: 1, abandoned: 1 });
  assert.equal(server.http2.faultCounts.get("handler-abandoned"), 1);
  server.http2.releaseSlot(server.stream(1));
  assert.deepEqual(server.http2.handlersBeyondStreams, { held: 1, abandoned: 0 });
  server.advance(500);
  assert.deepEqual(server.http2.handlersBeyondStreams, { held: 0, abandoned: 1 });
});

test("a slot that is released before its stream ends, or held after it, changes nothing", () => {
  const server = CoreUnderTest.ready("server").receive(request(1));
  server.http2.holdSlot(server.stream(1));
  server.http2.releaseSlot(server.stream(1));
  server.receive(frames.rstStream(1, 8));
  server.http2.holdSlot(server.stream(1));
  assert.deepEqual(server.http2.handlersBeyondStreams, { held: 0, abandoned: 0 });
});

test("a stalled answer is reset with CANCEL and the layer above hears of it once", () => {
  const server = CoreUnderTest.ready("server", { streamStallTimeoutMs: 1_000 }, [4, 0]).receive(request(1).endStream());
  server.http2.sendHeaders(server.stream(1), [], false);
  server.http2.sendData(server.stream(1), Buffer.alloc(10), true);
  server.sent();
  server.events();
  server.advance(3_000);
  assert.deepEqual(server.sent(), ["RST_STREAM 1 CANCEL"]);
  assert.deepEqual(server.events(), ["reset 1 CANCEL library"]);
  assert.equal(server.http2.nextTimeout(), Number.POSITIVE_INFINITY);
  assert.equal(server.http2.streamCount, 0);
});

test("a client is not hurried: its request may wait for a slow server as long as the call does", () => {
  const client = CoreUnderTest.ready("client", { streamStallTimeoutMs: 1_000 }, [4, 0]);
  const stream = client.http2.openStream();
  client.http2.sendHeaders(stream, [], false);
  client.http2.sendData(stream, Buffer.alloc(10), true);
  client.advance(3_600_000);
  assert.equal(stream.isClosed, false);
});

for (const role of ["client", "server"] as const) {
  test(`${role}: faults are counted by cause for the whole life of a connection, and can be read after it`, () => {
    const core = CoreUnderTest.ready(role);
    assert.deepEqual([...core.http2.faultCounts], []);
    for (let count = 0; count < 3; count++) {
      if (role === "server") core.receive(frames.headers(1 + 2 * count).request("POST", "/"));
      else core.http2.sendHeaders(core.http2.openStream(), [], false);
      core.receive(frames.windowUpdate(1 + 2 * count, 0));
      core.receive(frames.raw(0x42, 0, 0));
    }
    const counts = core.http2.faultCounts;
    assert.deepEqual([counts.get("window-update-zero-on-stream"), counts.get("unknown-frame")], [3, 3]);
    core.receive(frames.ping().claimLength(7));
    assert.equal(core.http2.isClosed, true);
    assert.deepEqual(
      [...core.http2.faultCounts.entries()],
      [
        ["window-update-zero-on-stream", 3],
        ["unknown-frame", 3],
        ["ping-length", 1],
      ],
    );
  });
}

test("a peer that stays in debt for longer than glitchDebtTimeoutMs, paused each time, is let go", () => {
  const server = CoreUnderTest.ready("server", { glitchBurst: 100, glitchesPerSecond: 10 });
  const flood = Array.from({ length: 50 }, () => unknown);
  server.receive(...flood, ...flood);
  const beganMs = server.clock.nowMs;
  while (!server.http2.isClosed) {
    server.receive(...flood);
    if (!server.http2.isClosed) server.advance(server.http2.nextTimeout() - server.clock.nowMs);
  }
  assert.equal(server.http2.fault?.cause, "unknown-frame-flood");
  const lastedMs = server.clock.nowMs - beganMs;
  assert.ok(lastedMs > 30_000 && lastedMs <= 40_000, `${lastedMs} ms`);
});

test("a peer that pays its debts and rests in between may have them for a day", () => {
  const server = CoreUnderTest.ready("server", { glitchBurst: 100, glitchesPerSecond: 10 });
  for (let minute = 0; minute < 24 * 60; minute++) {
    server.receive(...Array.from({ length: 150 }, () => unknown));
    assert.deepEqual([server.http2.mayRead, server.http2.isClosed], [false, false]);
    server.advance(60_000);
  }
});
