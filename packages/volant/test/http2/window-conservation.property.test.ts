import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Http2Stream } from "../../src/http2/stream.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

interface Windows {
  readonly connectionWindowBytes: number;
  readonly initialStreamWindowBytes: number;
  readonly maxStreamWindowBytes: number;
  readonly maxConnectionWindowBytes: number;
}

/** The opaque number of PINGs that measure for windows to grow. */
const GROWTH_PING = 0xffff_fffe;

/** A client that counts its windows as RFC 9113 §6.9 says and never exceeds them, against a server under test. */
class HonestClient {
  readonly server: CoreUnderTest;
  /** PINGs it has read and not answered yet. */
  private pings = 0;
  connectionWindow = 65_535;
  private readonly windows = new Map<number, number>();
  /** Octets the server's layer above was handed and has not consumed: it never sees padding. */
  private readonly owed = new Map<Http2Stream, number>();
  private nextId = 1;

  constructor(options: Windows) {
    this.server = CoreUnderTest.ready("server", { ...options, maxConcurrentStreams: 8, drainPingTimeoutMs: 1 });
    this.connectionWindow = options.connectionWindowBytes;
    this.initialWindow = options.initialStreamWindowBytes;
    this.server.sink.react.onData = (stream, _bytes, start, end) => {
      this.owed.set(stream, (this.owed.get(stream) ?? 0) + end - start);
    };
  }

  private readonly initialWindow: number;

  open(): void {
    const id = this.nextId;
    this.nextId += 2;
    this.windows.set(id, this.initialWindow);
    this.receive(frames.headers(id).request("POST", "/"));
  }

  /** Ids the client believes open, its own order. */
  get ids(): number[] {
    return [...this.windows.keys()];
  }

  data(id: number, wanted: number, padding: number, end: boolean): number {
    const room = Math.min(this.connectionWindow, this.windows.get(id)!, 16_384);
    const overhead = padding > 0 ? padding + 1 : 0;
    if (room < overhead) return 0;
    const count = Math.min(wanted, room - overhead);
    const frame = padding > 0 ? frames.data(id, count).padded(padding) : frames.data(id, count);
    this.connectionWindow -= count + overhead;
    this.windows.set(id, this.windows.get(id)! - count - overhead);
    if (end) this.windows.delete(id);
    this.receive(end ? frame.endStream() : frame);
    return count;
  }

  reset(id: number): void {
    this.windows.delete(id);
    this.receive(frames.rstStream(id, 8));
  }

  /** Consumes that share of what the layer above was handed. */
  consume(stream: Http2Stream, share: number): void {
    const owed = this.owed.get(stream) ?? 0;
    const bytes = Math.ceil(owed * share);
    this.owed.set(stream, owed - bytes);
    this.server.http2.consume(stream, bytes);
  }

  /** Reads what the server sent so far. Until then the client acts on what it knew before. */
  listen(): void {
    for (const line of this.server.sent()) {
      const [name, first, second] = line.split(" ");
      if (line === `PING 00000000${GROWTH_PING.toString(16)}`) this.pings++;
      if (name === "RST_STREAM") this.windows.delete(Number(first));
      if (name !== "WINDOW_UPDATE") continue;
      if (second === undefined) this.connectionWindow += Number(first);
      else if (this.windows.has(Number(first)))
        this.windows.set(Number(first), this.windows.get(Number(first))! + Number(second));
      assert.ok(this.connectionWindow <= 0x7fff_ffff);
    }
  }

  /** Answers the oldest PING, that much later. */
  answerPing(afterMs: number): void {
    if (this.pings === 0) return;
    this.pings--;
    this.server.advance(afterMs);
    this.receive(frames.pingAck(GROWTH_PING));
  }

  private receive(frame: { bytes(): Buffer }): void {
    this.server.receive(frame);
    assert.equal(this.server.http2.isClosed, false, this.server.http2.fault?.cause);
  }
}

type Step = (client: HonestClient, pick: (from: readonly number[]) => number | undefined) => void;

function held(client: HonestClient, id: number): Http2Stream | undefined {
  return [...client.server.http2.streams()].find((stream) => stream.id === id);
}

/** DATA that is used at once, as much as the windows allow in so many frames. */
function transfer(client: HonestClient, id: number, frameCount: number): void {
  const stream = held(client, id);
  for (let count = 0; count < frameCount && stream !== undefined && client.ids.includes(id); count++) {
    client.data(id, 16_384, 0, false);
    client.consume(stream, 1);
    client.listen();
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>((client) => client.open()) },
  {
    weight: 10,
    arbitrary: fc.tuple(fc.constantFrom(0, 1, 500, 5_000, 16_384), fc.constantFrom(0, 0, 1, 255), fc.nat(9)).map(
      ([count, padding, end]): Step =>
        (client, pick) => {
          const id = pick(client.ids);
          if (id !== undefined) client.data(id, count, padding, end === 0);
        },
    ),
  },
  {
    weight: 6,
    arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map(
      (share): Step =>
        (client, pick) => {
          const stream = held(client, pick(client.ids) ?? 0);
          if (stream !== undefined) client.consume(stream, share);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 10_000, 200_000).map(
      (bytes): Step =>
        (client, pick) => {
          const stream = held(client, pick(client.ids) ?? 0);
          if (stream !== undefined) client.server.http2.expect(stream, bytes);
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Step>((client, pick) => {
      const id = pick(client.ids);
      if (id !== undefined) client.reset(id);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Step>((client, pick) => {
      const stream = held(client, pick(client.ids) ?? 0);
      if (stream !== undefined) client.server.http2.resetStream(stream, 8);
    }),
  },
  { weight: 4, arbitrary: fc.constant<Step>((client) => client.listen()) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 20 }).map(
      (frameCount): Step =>
        (client, pick) => {
          transfer(client, pick(client.ids) ?? 0, frameCount);
        },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(0, 1, 30).map(
      (afterMs): Step =>
        (client) => {
          client.listen();
          client.answerPing(afterMs);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(9).map(
      (chance): Step =>
        (client) => {
          if (chance > 0) return;
          client.server.http2.beginDrain(client.server.clock.nowMs);
          client.server.advance(1);
        },
    ),
  },
);

test("§6.9 the connection's window is conserved under data, padding, cancel, reset, late data, GOAWAY, grants and growth", () => {
  let grown = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(step, fc.nat()), { maxLength: 120 }),
      fc.constantFrom(65_535, 100_000, 1_048_576),
      fc.constantFrom(1_000, 65_535, 300_000),
      fc.constantFrom(1, 100_000, 4_194_304),
      fc.constantFrom(1, 1_200_000, 16_777_216),
      fc.boolean(),
      (
        steps,
        connectionWindowBytes,
        initialStreamWindowBytes,
        maxStreamWindowBytes,
        maxConnectionWindowBytes,
        bulk,
      ) => {
        const client = new HonestClient({
          connectionWindowBytes,
          initialStreamWindowBytes,
          maxStreamWindowBytes,
          maxConnectionWindowBytes,
        });
        if (bulk) {
          client.open();
          for (let round = 0; round < 3; round++) {
            transfer(client, 1, 40);
            client.answerPing(1);
          }
        }
        for (const [act, choice] of steps) act(client, (from) => from[choice % Math.max(1, from.length)]);

        for (const stream of [...client.server.http2.streams()]) {
          if (choiceOf(stream)) client.consume(stream, 1);
          else client.server.http2.resetStream(stream, 8);
        }
        client.listen();
        for (const id of client.ids) client.reset(id);
        for (const stream of [...client.server.http2.streams()]) client.server.http2.resetStream(stream, 8);
        client.listen();

        const { windows } = client.server.http2;
        const { size, ...whole } = ledger(client.server);
        if (size > connectionWindowBytes) grown++;
        assert.ok(size >= connectionWindowBytes && size <= Math.max(connectionWindowBytes, maxConnectionWindowBytes));
        assert.equal(windows.held, 0);
        assert.equal(windows.receive, client.connectionWindow, "both sides count the same");
        assert.ok(windows.receive * 3 > size * 2, "less than a third of the window waits to be announced");
        assert.deepEqual(whole, { whole: size, granted: 0 });
        sendInTotal(client, size);
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(grown > 0, "no window grew in any run");
});

/** What the connection's window comes to once everything is announced and every unused grant is paid back. */
function ledger(core: CoreUnderTest): { size: number; whole: number; granted: number } {
  const { receiveWindow } = (core.http2 as unknown as { parts: { receiveWindow: Record<string, number> } }).parts;
  return {
    size: receiveWindow.size!,
    whole: receiveWindow.open! + receiveWindow.returned! - receiveWindow.excess!,
    granted: receiveWindow.granted!,
  };
}

function choiceOf(stream: Http2Stream): boolean {
  return stream.id % 4 === 1;
}

/** The peer sends that many octets, which are used at once: nothing may stop it on the way. */
function sendInTotal(client: HonestClient, bytes: number): void {
  client.open();
  const id = client.ids[0]!;
  for (let total = 0; total < 2 * bytes; ) {
    const stream = held(client, id);
    // After the final GOAWAY the stream is ignored, and only the connection's window is credited.
    if (stream === undefined && client.data(id, 0, 0, true) === 0) break;
    const count = client.data(id, 16_384, 0, false);
    assert.ok(count > 0, `stuck after ${total} octets`);
    total += count;
    if (stream !== undefined) client.consume(stream, 1);
    client.listen();
  }
}
