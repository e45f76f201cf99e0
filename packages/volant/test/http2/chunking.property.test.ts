import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Role } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { frames } from "../../src/testing/frame-factory.ts";

const id = fc.constantFrom(1, 1, 3, 3, 5, 7, 2, 0);
const size = fc.constantFrom(0, 1, 5, 100, 16_384);

/** Frames a peer might send, most of them legal. */
function frameArbitrary(role: Role): fc.Arbitrary<Buffer> {
  const head = (streamId: number) =>
    role === "server" ? frames.headers(streamId).request("POST", "/") : frames.headers(streamId).response(200);
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(id, fc.boolean()).map(([at, end]) => (end ? head(at).endStream() : head(at)).bytes()),
    },
    { weight: 2, arbitrary: fc.tuple(id, fc.nat(20)).map(([at, cut]) => head(at).continued(cut)) },
    {
      weight: 2,
      arbitrary: id.map((at) =>
        frames
          .headers(at)
          .fields([["t", "1"]])
          .endStream()
          .bytes(),
      ),
    },
    {
      weight: 8,
      arbitrary: fc.tuple(id, size, fc.boolean(), fc.nat(255)).map(([at, count, end, padding]) => {
        const data =
          padding % 2 === 0 ? frames.data(at, Math.min(count, 16_000)).padded(padding) : frames.data(at, count);
        return (end ? data.endStream() : data).bytes();
      }),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(id, fc.constantFrom(0, 1, 1_000, 70_000, 0x7fff_ffff))
        .map(([at, by]) => frames.windowUpdate(at, by).bytes()),
    },
    { weight: 2, arbitrary: id.map((at) => frames.rstStream(at, 8).bytes()) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(0, 10, 65_535, 100_000).map((value) => frames.settings([4, value]).bytes()),
    },
    { weight: 1, arbitrary: fc.constant(frames.ping().bytes()) },
    { weight: 1, arbitrary: fc.constantFrom(0, 3, 0x7fff_ffff).map((last) => frames.goAway(last, 0, "x").bytes()) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(255), fc.uint8Array({ maxLength: 30 }))
        .map(([type, payload]) => frames.raw(type, 0, 1, Buffer.from(payload)).bytes()),
    },
  );
}

/** A layer above that answers everything at once: the same calls must then lead to the same octets. */
function makeReactive(core: CoreUnderTest): void {
  const { http2, sink } = core;
  const answered = new Set<number>();
  sink.react = {
    onHeaders(stream, _fields, endStream) {
      if (stream.isLocalDone) return;
      if (!answered.has(stream.id)) http2.sendHeaders(stream, Buffer.of(0x88), false);
      answered.add(stream.id);
      if (endStream) http2.sendData(stream, Buffer.alloc(70_000), true);
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
    for (let count = 0; count < 3; count++) core.http2.sendHeaders(core.http2.openStream(), [], false);
  }
  let at = 0;
  for (const cut of [...cuts, session.length]) {
    core.receive(session.subarray(at, cut));
    at = cut;
  }
  return { events: core.events(), sent: core.sentBytes().toString("hex") };
}

for (const role of ["server", "client"] as const) {
  const opening = role === "server" ? [frames.preface, frames.settings().bytes()] : [];
  const sessionArbitrary = fc
    .array(frameArbitrary(role), { maxLength: 25 })
    .map((parts) => Buffer.concat([...opening, frames.settingsAck().bytes(), ...parts]));

  test(`§4.1 any chunking of a session gives a ${role} the same events and the same output`, () => {
    fc.assert(
      fc.property(
        sessionArbitrary,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }),
        (session, positions) => {
          const cuts = positions.map((position) => Math.floor(position * session.length)).sort((a, b) => a - b);
          assert.deepEqual(run(role, session, cuts), run(role, session, []));
        },
      ),
      { numRuns: 300 },
    );
  });

  test(`§4.1 octet by octet a session gives a ${role} the same events and the same output`, () => {
    fc.assert(
      fc.property(
        sessionArbitrary.filter((session) => session.length < 3_000),
        (session) => {
          const cuts = Array.from(session.keys());
          assert.deepEqual(run(role, session, cuts), run(role, session, []));
        },
      ),
      { numRuns: 60 },
    );
  });
}
