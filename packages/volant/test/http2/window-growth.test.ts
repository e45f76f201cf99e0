/** Windows that grow with the link: when a PING measures, what it changes, and what never makes a window grow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Options } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const GROWTH_PING = 0xffff_fffe;
const PING = `PING 00000000${GROWTH_PING.toString(16)}`;
const ROUND_TRIP_MS = 100;
const WINDOW = 65_535;

/** A core with a stream that the peer may send DATA on, and what the application reads of it. */
class Reader {
  readonly core: CoreUnderTest;
  /** Everything that arrives is used at once; otherwise nothing is. */
  reads = true;
  readonly sent: string[] = [];

  constructor(role: "client" | "server", options: Http2Options = {}) {
    this.core = CoreUnderTest.ready(role, options);
    this.core.sink.react.onData = (stream, _bytes, start, end) => {
      if (this.reads) this.core.http2.consume(stream, end - start);
    };
    this.open();
  }

  /** Another stream; the result is its id. */
  open(): number {
    const { core } = this;
    const id = 1 + 2 * core.sink.streams.size;
    if (core.role === "client") {
      core.http2.sendHeaders(core.http2.openStream(), [], true);
      core.receive(frames.headers(id).response(200));
    } else core.receive(frames.headers(id).request("POST", "/"));
    core.sent();
    return id;
  }

  /** DATA in frames of that many octets; the result is what was sent meanwhile. */
  data(bytes: number, frameBytes = 16_384, id = 1): string[] {
    for (let left = bytes; left > 0; left -= frameBytes) this.core.receive(frames.data(id, Math.min(left, frameBytes)));
    return this.take();
  }

  acknowledge(afterMs = ROUND_TRIP_MS): string[] {
    this.core.advance(afterMs).receive(frames.pingAck(GROWTH_PING));
    return this.take();
  }

  /** A whole sample: half of the window, a PING, as much again, its acknowledgement. */
  sample(bytes: number): string[] {
    const sent = this.data(bytes);
    assert.ok(sent.includes(PING), sent.join("\n"));
    return [...this.data(bytes), ...this.acknowledge()];
  }

  get windows(): { stream: number; connection: number } {
    const { receiveWindow } = (this.core.http2 as unknown as { parts: { receiveWindow: { size: number } } }).parts;
    return { stream: this.core.stream(1).receiveWindow.size, connection: receiveWindow.size };
  }

  private take(): string[] {
    const lines = this.core.sent();
    this.sent.push(...lines);
    return lines;
  }
}

for (const role of ["client", "server"] as const) {
  test(`${role}: a stream that fills its window within a round trip gets twice of what came, with its next credit`, () => {
    const reader = new Reader(role);
    assert.deepEqual(reader.data(16_384), []);
    assert.deepEqual(reader.data(16_384).sort(), [PING, "WINDOW_UPDATE 1 +32768"].sort());
    assert.deepEqual(reader.data(49_152), ["WINDOW_UPDATE 1 +32768"]);
    assert.deepEqual(reader.acknowledge(), []);
    assert.deepEqual(reader.windows, { stream: WINDOW, connection: 1_048_576 });
    const grown = 2 * (32_768 + 49_152);
    const [update] = reader.data(16_384);
    assert.equal(update, `WINDOW_UPDATE 1 +${32_768 + grown - WINDOW}`);
    assert.deepEqual(reader.windows, { stream: grown, connection: 1_048_576 });
    assert.deepEqual(reader.core.events().at(-1), "data 1 [16384]", "its acknowledgement is nobody else's business");
  });
}

test("growth goes on to both caps, keeps the connection at four streams' windows, and then measures no more", () => {
  const reader = new Reader("server", { maxStreamWindowBytes: 500_000, maxConnectionWindowBytes: 1_500_000 });
  let samples = 0;
  for (; reader.data(2 * reader.windows.stream).includes(PING); samples++) {
    reader.acknowledge();
    const { stream, connection } = reader.windows;
    assert.ok(connection >= Math.min(4 * stream, 1_500_000), `${connection} for ${stream}`);
  }
  assert.ok(samples > 1, "not in one leap");
  assert.deepEqual(reader.windows, { stream: 500_000, connection: 1_500_000 });
  reader.sent.length = 0;
  reader.data(10_000_000);
  assert.equal(reader.sent.includes(PING), false);
});

test("a new stream begins at the initial size and grows with its first credit", () => {
  const reader = new Reader("server");
  reader.sample(65_536);
  const id = reader.open();
  assert.equal(reader.core.stream(id).receiveWindow.size, WINDOW);
  assert.deepEqual(
    reader.data(32_768, 16_384, id).filter((line) => line !== PING),
    [`WINDOW_UPDATE ${id} +${32_768 + 2 * 131_072 - WINDOW}`],
  );
});

test("more octets in a longer round trip are a queue on the path: the window stays", () => {
  const reader = new Reader("server");
  reader.sample(65_536);
  reader.data(65_536);
  const before = reader.windows;
  reader.data(131_072);
  assert.deepEqual(reader.acknowledge(3 * ROUND_TRIP_MS), []);
  reader.data(65_536);
  assert.deepEqual(reader.windows, before);
});

test("a PING that is never acknowledged is the last, and credit goes on", () => {
  const reader = new Reader("client");
  reader.data(32_768);
  const sent = reader.data(100 * 65_536);
  assert.equal(sent.includes(PING), false);
  assert.equal(sent.filter((line) => line.startsWith("WINDOW_UPDATE 1")).length, 200);
  assert.equal(reader.core.http2.nextTimeout(), Number.POSITIVE_INFINITY);
});

test("an acknowledgement that nobody asked for changes nothing and is not reported", () => {
  const reader = new Reader("server");
  reader.core.events();
  assert.deepEqual(reader.acknowledge(), []);
  assert.deepEqual(reader.core.events(), []);
  reader.data(32_768);
  reader.acknowledge();
  assert.deepEqual(reader.acknowledge(), [], "nor a second one");
  assert.equal(reader.core.http2.isClosed, false);
});

test("A8: calls with small messages send no PING, however many and however fast", () => {
  for (const gapMs of [0, 1, 20]) {
    const reader = new Reader("client");
    for (let call = 0; call < 2_000; call++) {
      const id = reader.open();
      reader.data(150, 150, id);
      reader.core.receive(
        frames
          .headers(id)
          .fields([["grpc-status", "0"]])
          .endStream(),
      );
      reader.core.advance(gapMs);
    }
    assert.deepEqual(
      reader.sent.filter((line) => line.startsWith("PING")),
      [],
    );
  }
});

test("A8: a stream that trickles sends no PING, however long it lasts", () => {
  const reader = new Reader("client");
  for (let count = 0; count < 20_000; count++) {
    reader.data(200);
    reader.core.advance(100);
  }
  assert.deepEqual(
    reader.sent.filter((line) => line.startsWith("PING")),
    [],
  );
});

test("A8: half a window of DATA arrives between the acknowledgement of a PING and the next one", () => {
  const reader = new Reader("client");
  let since = 0;
  for (let round = 0; round < 200; round++) {
    since += 1_000;
    if (!reader.data(1_000).includes(PING)) continue;
    assert.ok(since >= WINDOW / 2, `a PING after ${since} octets`);
    reader.data(5_000);
    reader.acknowledge();
    since = 0;
  }
  assert.ok(reader.sent.filter((line) => line === PING).length > 3);
});

test("what nobody reads makes no window grow: the most that is held is what the connection began with", () => {
  const reader = new Reader("server");
  reader.reads = false;
  const connectionWindow = 1_048_576;
  let held = 0;
  for (let id = 1; held + WINDOW <= connectionWindow; id = reader.open()) {
    held += WINDOW;
    reader.data(WINDOW, 16_384, id);
  }
  assert.equal(reader.sent.includes(PING), true);
  reader.acknowledge();
  assert.equal(reader.core.http2.windows.held, held);
  assert.equal(reader.windows.connection, connectionWindow);
  assert.equal(reader.core.http2.windows.receive, connectionWindow - held);
  for (const stream of reader.core.http2.streams()) assert.equal(stream.receiveWindow.size, WINDOW);
});

test("a reader that stops holds at most its stream's window, and the other streams go on", () => {
  const reader = new Reader("server", { maxStreamWindowBytes: 200_000 });
  reader.sample(131_072);
  reader.data(65_536);
  reader.reads = false;
  const { stream: size } = reader.windows;
  assert.equal(size, 200_000);
  const { open } = reader.core.stream(1).receiveWindow;
  reader.data(open);
  assert.ok(reader.core.stream(1).receiveWindow.held <= size);
  reader.reads = true;
  const id = reader.open();
  for (let count = 0; count < 100; count++) reader.data(32_768, 16_384, id);
  assert.equal(reader.core.http2.isClosed, false);
});

test("a large message that is expected and growth share one ledger", () => {
  const reader = new Reader("server");
  const messageBytes = 4_000_000;
  reader.reads = false;
  const stream = reader.core.stream(1);
  reader.data(32_768);
  reader.core.http2.expect(stream, messageBytes - 32_768);
  reader.data(messageBytes - 32_768);
  reader.acknowledge();
  const { connection } = reader.windows;
  assert.equal(connection, 16_777_216, "the whole message came within the sample, and none of it waits for the reader");
  reader.core.http2.consume(stream, messageBytes);
  reader.core.sent();
  assert.deepEqual(reader.windows, { stream: 4_194_304, connection });
  assert.deepEqual([stream.receiveWindow.open, reader.core.http2.windows.receive], [4_194_304, connection]);
});

for (const [name, options] of [
  ["the initial sizes", { maxStreamWindowBytes: WINDOW, maxConnectionWindowBytes: 1_048_576 }],
  ["less than the initial sizes", { maxStreamWindowBytes: 1, maxConnectionWindowBytes: 1 }],
] as const) {
  test(`with caps at ${name} nothing is measured and nothing grows`, () => {
    const reader = new Reader("server", options);
    const sent = reader.data(10_000_000);
    assert.equal(sent.includes(PING), false);
    assert.deepEqual(reader.windows, { stream: WINDOW, connection: 1_048_576 });
  });
}

test("§6.5.3 nothing is measured before our SETTINGS are acknowledged", () => {
  const server = new CoreUnderTest("server", { initialStreamWindowBytes: 1_000 });
  server.receive(frames.preface, frames.settings(), frames.headers(1).request("POST", "/"));
  server.sink.react.onData = (stream, _bytes, start, end) => server.http2.consume(stream, end - start);
  for (let count = 0; count < 8; count++) server.receive(frames.data(1, 8_000));
  assert.equal(server.sent().includes(PING), false);
  server.receive(frames.settingsAck());
  server.receive(frames.data(1, 500));
  assert.equal(server.sent().includes(PING), true);
});
