/** What a server holds for clients that do not read: how much, who is refused, and that all of it is given back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type CallEnd, type Server, type ServerOptions, StatusCode } from "../../src/index.ts";
import type { ResolvedServerOptions } from "../../src/server/server-options.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually } from "../../src/testing/index.ts";
import { MemoryPeer } from "../attacks/memory-peer.ts";
import { type ServerScene, scene } from "../attacks/server-attack.ts";
import { turns } from "../attacks/virtual-time.ts";
import type { LabHandlers } from "./support/lab-service.ts";
import { call, prefixed } from "./support/raw-peer.ts";

const EMPTY = prefixed(Buffer.alloc(0));
const CANCEL = 8;
const KIB = 1024;
const GZIP = [["grpc-accept-encoding", "gzip"]] as const;

const heldBy = (server: Server): number =>
  (server as unknown as { options: ResolvedServerOptions }).options.unsent.usedBytes;

/** A whole request. */
const ask = (id: number, method: string, fields: Parameters<typeof call>[2] = []): Buffer =>
  Buffer.concat([call(id, method, fields).bytes(), frames.data(id, EMPTY).endStream().bytes()]);

/** Its streams' windows are zero until it opens them. */
async function stalledPeer(server: Server, address = "192.0.2.1:1"): Promise<MemoryPeer> {
  const peer = await MemoryPeer.ready(server, address);
  peer.send(frames.settings([4, 0]));
  await turns();
  return peer;
}

/** Octets that no compression makes smaller. */
function noise(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0, seed = 1; at < bytes; at++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    body[at] = seed >>> 16;
  }
  return body;
}

const large: Partial<LabHandlers> = { unary: () => ({ body: Buffer.alloc(100 * KIB) }) };

function small(act: (scene: ServerScene) => Promise<void>, options: ServerOptions = {}, handlers = large) {
  return scene({ maxUnsentBytes: 1_000 * KIB, ...options }, handlers, act);
}

test("of answers that wait one client has half of maxUnsentBytes, the newest are refused, and the oldest complete", () =>
  small(async ({ server }) => {
    const peer = await stalledPeer(server);
    peer.send(...[1, 3, 5, 7, 9, 11, 13].map((id) => ask(id, "Unary")));
    await turns();
    // With four of 100 KiB it has less than it leaves to others, with five no more.
    assert.equal(peer.countOf(/^HEADERS (11|13) .*grpc-status=8.*maxUnsentBytes is 1024000/), 2, peer.lines.join("; "));
    assert.equal(peer.countOf(/grpc-status/), 2);
    assert.equal(server.stats().faults["answer-refused"], 2);
    const other = await stalledPeer(server, "192.0.2.2:1");
    other.send(ask(1, "Unary"));
    await turns();
    assert.equal(other.countOf(/grpc-status/), 0, "another client has its share");
    for (const id of [1, 3, 5, 7, 9]) peer.send(frames.windowUpdate(id, 0x7fff_ffff));
    await turns();
    assert.equal(peer.countOf(/^HEADERS \d+ end grpc-status=0/), 5);
    other.send(frames.windowUpdate(1, 0x7fff_ffff));
    await turns();
    assert.equal(heldBy(server), 0);
  }));

test("connections of one address share, and what leaves at once takes nothing", () =>
  small(async ({ server }) => {
    const stalled = await stalledPeer(server, "192.0.2.1:1");
    stalled.send(...[1, 3, 5, 7, 9].map((id) => ask(id, "Unary")));
    const reader = await MemoryPeer.ready(server, "192.0.2.1:2");
    for (let id = 1; id < 100; id += 2) {
      reader.send(ask(id, "Unary"));
      await turns();
    }
    assert.equal(reader.countOf(/grpc-status=0/), 50);
    reader.send(frames.settings([4, 0]), ask(101, "Unary"));
    await turns();
    assert.equal(reader.countOf(/^HEADERS 101 .*grpc-status=8/), 1);
  }));

test("a stream whose message finds no room ends with RESOURCE_EXHAUSTED, and its handler is told", () => {
  let returned = 0;
  const handlers: Partial<LabHandlers> = {
    ...large,
    *download() {
      try {
        for (;;) yield { body: Buffer.alloc(300 * KIB) };
      } finally {
        returned++;
      }
    },
  };
  return small(
    async ({ server, errors }) => {
      const peer = await stalledPeer(server);
      peer.send(...[1, 3, 5, 7].map((id) => ask(id, "Unary")), ask(9, "Download"));
      await turns();
      assert.equal(peer.countOf(/^HEADERS 9 .*grpc-status=8/), 1, peer.lines.join("; "));
      assert.deepEqual([returned, errors], [1, []]);
    },
    {},
    handlers,
  );
});

test("while a reader's window is shut its generator is asked for one message, and for the next once that has left", () => {
  let made = 0;
  const handlers: Partial<LabHandlers> = {
    *download() {
      for (;;) {
        made++;
        yield { body: Buffer.alloc(1_000) };
      }
    },
  };
  return scene({}, handlers, async ({ server }) => {
    const peer = await stalledPeer(server);
    peer.send(ask(1, "Download"));
    await turns();
    assert.equal(made, 1);
    peer.send(frames.windowUpdate(1, 500));
    await turns();
    assert.equal(made, 1, "half of it waits");
    peer.send(frames.windowUpdate(1, 508));
    await turns();
    assert.equal(made, 2);
    peer.send(frames.windowUpdate(0, 1), frames.windowUpdate(1, 10 * 1_008));
    await turns();
    assert.equal(made, 12);
  });
});

type Ending = (peer: MemoryPeer, scene: ServerScene) => unknown;

const ENDINGS: Readonly<Record<string, Ending>> = {
  "is reset by the client": (peer) => peer.send(frames.rstStream(1, CANCEL)),
  "loses its connection": (peer) => peer.destroy(),
  "passes its deadline": (_peer, { time }) => time.pass(20_000),
  stalls: (_peer, { time, server }) => time.secondsUntil(() => server.streamCount === 0, 3_000),
  "is read to its end": (peer) => peer.send(frames.windowUpdate(1, 0x7fff_ffff)),
};
const METHODS: Readonly<Record<string, Partial<LabHandlers>>> = {
  Unary: { unary: () => ({ body: noise(200 * KIB) }) },
  Download: { download: () => [{ body: noise(200 * KIB) }, { body: noise(20 * KIB) }, {}] },
};

for (const [method, handlers] of Object.entries(METHODS)) {
  for (const isCompressed of [false, true]) {
    for (const [name, end] of Object.entries(ENDINGS)) {
      // A deadline ends a call, and what a call has answered is finished: its stream ends by the client, or by stalling.
      if (method === "Unary" && name.includes("deadline")) continue;
      const how = isCompressed ? "compressed" : "plain";
      test(`what a ${how} answer of ${method} holds is given back when it ${name}`, () => {
        const options: ServerOptions = isCompressed ? { compression: { send: "gzip" } } : {};
        return small(
          async (base) => {
            const { server } = base;
            const peer = await stalledPeer(server);
            const fields = [
              ...(isCompressed ? GZIP : []),
              ...(name.includes("deadline") ? [["grpc-timeout", "10S"]] : []),
            ];
            peer.send(ask(1, method, fields as never));
            await eventually("something to wait", () => heldBy(server) > 0);
            await turns();
            assert.ok(heldBy(server) > 0);
            await end(peer, base);
            await eventually("all of it to be given back", () => heldBy(server) === 0 && server.streamCount === 0);
          },
          options,
          handlers,
        );
      });
    }
  }
}

test("a reset while an answer is being compressed gives back what waits for the threads", () =>
  small(
    async ({ server }) => {
      const peer = await stalledPeer(server);
      const ids = Array.from({ length: 4 }, (_, index) => 1 + 2 * index);
      peer.send(...ids.map((id) => ask(id, "Unary", GZIP)), ...ids.map((id) => frames.rstStream(id, CANCEL)));
      await turns();
      assert.equal(heldBy(server), 0);
    },
    { compression: { send: "gzip" } },
    METHODS.Unary,
  ));

test("answers that are compressed count at their full size until they are", () =>
  small(
    async ({ server }) => {
      const peer = await stalledPeer(server);
      assert.ok(gzipSync(Buffer.alloc(300 * KIB)).length < KIB);
      peer.send(...[1, 3, 5, 7].map((id) => ask(id, "Unary", GZIP)));
      await eventually("the refusals", () => peer.countOf(/grpc-status=8/) > 0);
      await eventually("the others to be compressed", () => heldBy(server) < 4 * KIB);
      assert.equal(peer.countOf(/^HEADERS (1|3) .*grpc-status/), 0);
    },
    { compression: { send: "gzip" } },
    { unary: () => ({ body: Buffer.alloc(300 * KIB) }) },
  ));

test("a stream that is cut because its reader stalled is CANCELLED by the server, with the reason, and its handler ends", () => {
  const ends: CallEnd[] = [];
  let reason: unknown;
  const handlers: Partial<LabHandlers> = {
    async *chat(_requests, { signal }) {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      for (;;) yield { body: Buffer.alloc(100) };
    },
  };
  const interceptors: ServerOptions["interceptors"] = [
    () => ({ onCall: (call) => call.onEnd((end) => void ends.push(end)) }),
  ];
  return scene({ interceptors }, handlers, async ({ server, time }) => {
    const peer = await stalledPeer(server);
    peer.send(call(1, "Chat"));
    await turns();
    await time.pass(200_000, 10_000);
    assert.equal(peer.countOf(/^RST_STREAM 1 CANCEL/), 1);
    assert.deepEqual([server.handlerCount, server.streamCount], [0, 0]);
    assert.deepEqual([ends[0]?.status.code, ends[0]?.cancelledBy], [StatusCode.CANCELLED, "server"]);
    assert.match(String(reason), /did not read .*streamStallTimeoutMs/);
  });
});
