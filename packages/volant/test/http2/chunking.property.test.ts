import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Role } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

/** What the peer wants to do next; {@link writeSession} turns it into frames that are legal at that point. */
interface Intent {
  readonly kind: "open" | "data" | "trailers" | "reset" | "window" | "settings" | "ping" | "goaway" | "illegal";
  readonly choice: number;
  readonly bytes: number;
  readonly padding: number;
  readonly end: boolean;
}

const intent: fc.Arbitrary<Intent> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("open" as const) },
    { weight: 20, arbitrary: fc.constant("data" as const) },
    { weight: 3, arbitrary: fc.constantFrom("trailers" as const, "reset" as const, "settings" as const) },
    { weight: 6, arbitrary: fc.constantFrom("window" as const) },
    { weight: 2, arbitrary: fc.constantFrom("ping" as const, "goaway" as const) },
    { weight: 1, arbitrary: fc.constant("illegal" as const) },
  ),
  choice: fc.nat(100),
  bytes: fc.constantFrom(0, 1, 5, 100, 3_000, 16_000),
  padding: fc.constantFrom(0, 0, 0, 1, 255),
  end: fc.nat(5).map((chance) => chance === 0),
});

function writeSession(role: Role, intents: readonly Intent[]): Buffer {
  const waiting = role === "server" ? Array.from({ length: 40 }, (_, index) => 1 + 2 * index) : [1, 3, 5];
  const open: number[] = [];
  const close = (id: number) => void open.splice(open.indexOf(id), 1);
  const parts = intents.map(({ kind, choice, bytes, padding, end }): Buffer => {
    const id = open[choice % Math.max(1, open.length)];
    if (kind === "settings") return frames.settings([4, [0, 10, 65_535, 100_000][choice % 4]!]).bytes();
    if (kind === "goaway") return frames.goAway([0, 3, 0x7fff_ffff][choice % 3]!, 0, "x").bytes();
    if (kind === "ping") return frames.ping().bytes();
    if (kind === "illegal") return frames.raw(choice % 12, bytes & 0xff, choice % 9, Buffer.alloc(padding)).bytes();
    if (kind === "window")
      return frames.windowUpdate(choice % 2 === 0 || id === undefined ? 0 : id, 1 + 10 * bytes).bytes();
    if (kind === "open" || id === undefined) {
      const next = waiting.shift();
      if (next === undefined) return frames.ping().bytes();
      if (!end) open.push(next);
      const head = role === "server" ? frames.headers(next).request("POST", "/") : frames.headers(next).response(200);
      return (end ? head.endStream() : head).continued(...(choice % 2 === 0 ? [] : [choice % 20]));
    }
    if (end || kind === "trailers" || kind === "reset") close(id);
    if (kind === "reset") return frames.rstStream(id, 8).bytes();
    if (kind === "trailers")
      return frames
        .headers(id)
        .fields([["t", "1"]])
        .endStream()
        .bytes();
    const data = padding > 0 ? frames.data(id, bytes).padded(padding) : frames.data(id, bytes);
    return (end ? data.endStream() : data).bytes();
  });
  const opening = role === "server" ? [frames.preface, frames.settings().bytes()] : [];
  return Buffer.concat([...opening, frames.settingsAck().bytes(), ...parts]);
}

/** A layer above that answers everything at once: the same calls must then lead to the same octets. */
function makeReactive(core: CoreUnderTest): void {
  const { http2, sink } = core;
  // A client has sent its headers already, and answers with data only.
  const answered = new Set<number>(core.role === "client" ? [1, 3, 5] : []);
  sink.react = {
    onHeaders(stream, _fields, endStream) {
      if (answered.has(stream.id)) return;
      answered.add(stream.id);
      http2.sendHeaders(stream, Buffer.of(0x88), false);
      http2.sendData(stream, Buffer.alloc(30_000), endStream);
    },
    onData(stream, bytes, start, end, endStream) {
      if (stream.id === 3 && end - start === 5) http2.expect(stream, 100_000);
      http2.consume(stream, end - start);
      if (!stream.isLocalDone && stream.outbound?.end === undefined && answered.has(stream.id)) {
        http2.sendData(stream, Buffer.from(bytes.subarray(start, end)), endStream);
      }
    },
    onTrailers(stream) {
      if (!stream.isLocalDone && stream.outbound?.end === undefined && answered.has(stream.id))
        http2.sendTrailers(stream, []);
    },
    onWritable(stream) {
      http2.sendData(stream, Buffer.alloc(10), false);
    },
  };
}

/** What a core does when it receives `session` in chunks cut at these positions. */
function run(role: Role, session: Buffer, cuts: readonly number[]): { events: string[]; sent: string } {
  const core = new CoreUnderTest(role, { streamHighWaterBytes: 2_000, maxConcurrentStreams: 3 });
  makeReactive(core);
  if (role === "client") {
    core.receive(frames.settings());
    for (let count = 0; count < 3; count++) {
      const stream = core.http2.openStream();
      core.http2.sendHeaders(stream, [], false);
      core.http2.sendData(stream, Buffer.alloc(30_000), false);
    }
  }
  let at = 0;
  for (const cut of [...cuts, session.length]) {
    core.receive(session.subarray(at, cut));
    at = cut;
  }
  return { events: core.events(), sent: core.sentBytes().toString("hex") };
}

for (const role of ["server", "client"] as const) {
  const session = fc.array(intent, { maxLength: 60 }).map((intents) => writeSession(role, intents));

  test(`§4.1 any chunking of a session gives a ${role} the same events and the same output`, () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
    fc.assert(
      fc.property(session, cuts, (octets, positions) => {
        const at = positions.map((position) => Math.floor(position * octets.length)).sort((a, b) => a - b);
        assert.deepEqual(run(role, octets, at), run(role, octets, []));
      }),
      { numRuns: 300 },
    );
  });

  test(`the sessions of a ${role} lead to every kind of event`, () => {
    const events = fc.sample(session, { numRuns: 300, seed: 1 }).flatMap((octets) => run(role, octets, []).events);
    const seen = new Set(events.map((line) => line.split(" ", 1)[0]));
    for (const kind of ["headers", "data", "trailers", "reset", "writable", "settings", "goaway", "closed"]) {
      assert.ok(seen.has(kind), `no session led to ${kind}`);
    }
  });

  test(`§4.1 octet by octet a session gives a ${role} the same events and the same output`, () => {
    const short = fc.array(
      intent.filter(({ bytes }) => bytes <= 100),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(short, (intents) => {
        const octets = writeSession(role, intents);
        assert.deepEqual(run(role, octets, Array.from(octets.keys())), run(role, octets, []));
      }),
      { numRuns: 60 },
    );
  });
}
