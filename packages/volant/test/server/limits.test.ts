/** What a server lets its clients have, by option, over real sockets where sockets matter and on virtual time elsewhere. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { Channel, createClient, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useFakeClock, useServer } from "../../src/testing/index.ts";
import type { ChurningSet } from "../../src/transport/churning-set.ts";
import { MemoryPeer } from "../attacks/memory-peer.ts";
import { scene } from "../attacks/server-attack.ts";
import { turns } from "../attacks/virtual-time.ts";
import { Lab } from "../gen/lab_pb.ts";
import { Authority } from "../tls/support/certificates.ts";
import { failureOf, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const EMPTY = prefixed(Buffer.alloc(0));
const CANCEL = 8;

/** Answers that wait until they are let go, whatever becomes of their calls. */
function gate() {
  const opened = Promise.withResolvers<object>();
  return { unary: () => opened.promise, open: () => opened.resolve({}) };
}

test("CVE-2019-9517 a client that never reads holds a bounded part of 1,000 endless streams, and then nothing", async (t) => {
  let produced = 0;
  const lab = await useServer(
    t,
    withHandlers({
      *download() {
        for (;;) {
          produced += 1_000;
          yield { body: Buffer.alloc(1_000) };
        }
      },
    }),
    { server: { writeStallTimeoutMs: 100, http2: { maxConcurrentStreams: 1_000 } } },
  );
  const peer = await RawPeer.ready(lab, 0x7fff_ffff);
  peer.socket.pause();
  peer.send(frames.windowUpdate(0, 0x7fff_ffff - 65_535));
  for (let id = 1; id < 2_000; id += 2) peer.send(request(id, "Download"), frames.data(id, EMPTY).endStream());
  await eventually("the connection to be given up", () => lab.server.stats().faults["write-stalled"] === 1);
  await eventually("its handlers to end", () => lab.server.handlerCount === 0 && lab.server.connectionCount === 0);
  // A stream's queue each, and what socket and connection take: tens of MiB, where without a bound it grows for ever.
  assert.ok(produced < 1_000 * 2 * 65_536 + 64 * 1_048_576, `${produced} octets were produced`);
});

test("500 sockets that say nothing, or half a preface, are gone after the handshake's time; who speaks stays", async (t) => {
  const clock = useFakeClock(t);
  const lab = await useServer(t, withHandlers({}), { server: { http2: { handshakeTimeoutMs: 20_000 } } });
  const speaking = await RawPeer.ready(lab);
  const sockets = Array.from({ length: 500 }, (_, index): Socket => {
    const socket = connect({ port: lab.port, host: "127.0.0.1" });
    socket.on("error", () => socket.destroy());
    socket.resume();
    if (index % 2 === 0) socket.write(frames.preface.subarray(0, 10));
    return socket;
  });
  lab.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  await eventually("every socket to be accepted", () => lab.server.connectionCount === 501);
  await clock.advance(20_000);
  await eventually("every silent socket to be closed", () => sockets.every(({ closed }) => closed));
  assert.equal(lab.server.stats().faults["handshake-timeout"], 500);
  await eventually("nothing of them to be left", () => lab.server.connectionCount === 1);
  speaking.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  assert.match((await speaking.answer(1)).at(-1)!, /grpc-status=0/);
});

test("an address has maxConnectionsPerAddress connections; a place that is freed is given again, refusals are counted", async (t) => {
  const lab = await useServer(t, withHandlers({}), { server: { maxConnectionsPerAddress: 2 } });
  const [first, second] = [await RawPeer.ready(lab), await RawPeer.ready(lab)];
  const third = await RawPeer.open(lab);
  await third.closed();
  assert.deepEqual(lab.server.stats().faults, { "too-many-connections-from-address": 1 });
  second.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  assert.match((await second.answer(1)).at(-1)!, /grpc-status=0/);
  first.socket.destroy();
  await eventually("the place to be free", () => lab.server.connectionCount === 1);
  await RawPeer.ready(lab);
});

test("with TLS a place of an address is free again when its connection is closed", async (t) => {
  const lab = await useServer(t, withHandlers({}), { over: "memory", server: { maxConnectionsPerAddress: 1 } });
  const authority = new Authority();
  const { port } = await lab.server.listen({ host: "127.0.0.1", tls: authority.issue() });
  for (let round = 0; round < 3; round++) {
    const channel = new Channel(`127.0.0.1:${port}`, { tls: { ca: authority.cert } });
    assert.equal((await createClient(Lab, channel).unary({ text: "x" })).text, "echo x");
    await channel.close();
    await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  }
});

test("gRPC detail 7: no call takes longer than maxCallDurationMs, without a deadline or with a later one; an earlier one holds", () => {
  const { unary, open } = gate();
  const act = async ({ server, time }: Parameters<Parameters<typeof scene>[2]>[0]): Promise<void> => {
    const peer = await MemoryPeer.ready(server);
    for (const [id, timeout] of [
      [1, []],
      [3, [["grpc-timeout", "1H"]]],
      [5, [["grpc-timeout", "10S"]]],
    ] as const) {
      peer.send(request(id, "Unary", timeout), frames.data(id, EMPTY).endStream());
    }
    await turns();
    await time.pass(20_000, 1_000);
    assert.deepEqual(endsOf(peer), ["5 grpc-status=4"]);
    await time.pass(39_000, 1_000);
    assert.equal(endsOf(peer).length, 1);
    await time.pass(2_000, 1_000);
    assert.deepEqual(endsOf(peer).sort(), ["1 grpc-status=4", "3 grpc-status=4", "5 grpc-status=4"]);
  };
  return scene({ maxCallDurationMs: 60_000 }, { unary }, act, open);
});

function endsOf(peer: MemoryPeer): string[] {
  return peer.lines.flatMap((line) => {
    const [, id, status] = /^HEADERS (\d+) .*(grpc-status=\d+)/.exec(line) ?? [];
    return id === undefined ? [] : [`${id} ${status}`];
  });
}

test("gRPC detail 32: gRFC A9 an old connection is drained with max_age, its calls finish, and the grace cuts off the others", () => {
  const { unary, open } = gate();
  const limits = { maxConnectionAgeMs: 600_000, maxConnectionAgeGraceMs: 60_000 };
  return scene(
    limits,
    { unary },
    async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
      peer.send(request(3, "Chat"));
      await time.pass(530_000, 10_000);
      assert.equal(peer.countOf(/GOAWAY/), 0);
      await time.secondsUntil(() => peer.countOf(/GOAWAY/) > 0, 140);
      await time.pass(6_000, 1_000);
      assert.equal(peer.countOf(/^GOAWAY last=\d+ NO_ERROR "max_age"/), 2);
      open();
      await turns();
      assert.deepEqual(endsOf(peer), ["1 grpc-status=0"]);
      await time.pass(60_000, 10_000);
      assert.equal(server.connectionCount, 0);
      assert.equal(server.stats().faults["max-age-grace-over"], 1);
    },
    open,
  );
});

test("a connection without calls is drained with max_idle", () =>
  scene({ maxConnectionIdleMs: 60_000 }, {}, async ({ server, time }) => {
    const peer = await MemoryPeer.ready(server);
    await time.pass(61_000, 1_000);
    assert.equal(peer.countOf(/^GOAWAY last=2147483647 NO_ERROR "max_idle"/), 1);
    await time.pass(10_000, 1_000);
    assert.equal(server.connectionCount, 0);
  }));

test("gRPC detail 34: gRFC A8 a client that pings too often is told too_many_pings, and its calls end", () => {
  const { unary, open } = gate();
  return scene(
    {},
    { unary },
    async ({ server, time }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
      for (let ping = 0; ping < 4; ping++) {
        assert.equal(peer.countOf(/^GOAWAY/), 0);
        peer.send(frames.ping());
        await time.pass(1_000);
      }
      assert.match(peer.lines.at(-1)!, /^GOAWAY last=1 ENHANCE_YOUR_CALM "too_many_pings"/);
      await time.pass(2_000, 1_000);
      assert.equal(server.connectionCount, 0);
    },
    open,
  );
});

test("a handler that outlives its call by far is counted as abandoned, and reported once", () => {
  const { unary, open } = gate();
  return scene(
    {},
    { unary },
    async ({ server, time, errors }) => {
      const peer = await MemoryPeer.ready(server);
      for (const id of [1, 3]) peer.send(request(id, "Unary"), frames.data(id, EMPTY).endStream());
      await turns();
      assert.deepEqual(server.stats().handlers, { running: 2, orphaned: 0, abandoned: 0 });
      for (const id of [1, 3]) peer.send(frames.rstStream(id, CANCEL));
      await turns();
      assert.deepEqual(server.stats().handlers, { running: 2, orphaned: 2, abandoned: 0 });
      peer.destroy();
      await time.pass(31_000, 1_000);
      assert.deepEqual(server.stats().handlers, { running: 2, orphaned: 2, abandoned: 2 });
      assert.equal(errors.length, 1);
      assert.match(String(errors[0]), /handler of \/volant\.test\.Lab\/Unary still runs 30000 ms after its call ended/);
      open();
      await turns();
      assert.deepEqual(server.stats().handlers, { running: 0, orphaned: 0, abandoned: 0 });
    },
    open,
  );
});

test("stats tell what there is and what was counted, on both sides", async (t) => {
  const { unary, open } = gate();
  const lab = await useServer(t, withHandlers({ unary }));
  assert.deepEqual(lab.server.stats(), {
    connections: 0,
    streams: 0,
    handlers: { running: 0, orphaned: 0, abandoned: 0 },
    turnsWaited: 0,
    faults: {},
  });
  const channel = lab.channel();
  const call = createClient(Lab, channel).unary({});
  await eventually("the call to run", () => lab.server.stats().handlers.running === 1);
  assert.equal(lab.server.stats().streams, 1);
  assert.deepEqual(channel.stats(), { connections: 1, streams: 1, pending: 0, faults: {} });
  open();
  await call;
  const bad = await RawPeer.ready(lab);
  bad.send(frames.raw(0x2a, 0, 0), frames.windowUpdate(0, 0));
  await bad.closed();
  await eventually("its end to be counted", () => lab.server.connectionCount === 1);
  assert.deepEqual(lab.server.stats().faults, { "unknown-frame": 1, "window-update-zero-on-connection": 1 });
});

test("what broke a connection is told to the calls on it, on both sides", async (t) => {
  const { unary, open } = gate();
  const lab = await useServer(t, withHandlers({ unary }));
  t.after(open);
  const failed = failureOf(lab.client(Lab).unary({}), StatusCode.UNAVAILABLE);
  await eventually("the call to run", () => lab.server.handlerCount === 1);
  const connections = (lab.server as unknown as { connections: ChurningSet<{ driver: { wire: { socket: Socket } } }> })
    .connections;
  for (const { driver } of connections.values()) driver.wire.socket.resetAndDestroy();
  assert.match((await failed).message, /the connection broke: the server reset it \(ECONNRESET\)/);
  open();
});
