/** An interceptor's `onCall` that is waited for holds what a handler at work holds: its stream's place, and the drain. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError, type ServerInterceptor, type ServerOptions, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { MemoryPeer } from "../attacks/memory-peer.ts";
import { type ServerScene, scene } from "../attacks/server-attack.ts";
import { turns } from "../attacks/virtual-time.ts";
import type { LabHandlers } from "./support/lab-service.ts";
import { prefixed, call as request } from "./support/raw-peer.ts";

const EMPTY = prefixed(Buffer.alloc(0));
const CANCEL = 8;
const NONE = { running: 0, orphaned: 0, abandoned: 0 };
const RUNNING = { running: 1, orphaned: 0, abandoned: 0 };
const ORPHANED = { running: 1, orphaned: 1, abandoned: 0 };

const unary = (id: number): Buffer =>
  Buffer.concat([request(id, "Unary").bytes(), frames.data(id, EMPTY).endStream().bytes()]);

/** HEADERS and RST_STREAM for each of `count` streams. */
const resets = (count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) => 1 + 2 * index).flatMap((id) => [
      request(id, "Unary").bytes(),
      frames.rstStream(id, CANCEL).bytes(),
    ]),
  );

/** Work that waits until it is let go, whatever becomes of its call. */
class Stubborn {
  begun = 0;
  private waiting: PromiseWithResolvers<void>[] = [];

  readonly wait = (): Promise<void> => {
    this.begun++;
    const work = Promise.withResolvers<void>();
    this.waiting.push(work);
    return work.promise;
  };

  readonly release = (): void => {
    for (const { resolve } of this.waiting.splice(0)) resolve();
  };

  refuse(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

interface Scene extends ServerScene {
  readonly onCalls: Stubborn;
  readonly handlers: Stubborn;
}

/** A server whose `onCall` and whose unary handler both wait until they are let go. */
function waiting(
  act: (scene: Scene) => Promise<void>,
  options: ServerOptions = {},
  more: Partial<LabHandlers> = {},
): Promise<void> {
  const [onCalls, handlers] = [new Stubborn(), new Stubborn()];
  const waits: ServerInterceptor = () => ({ onCall: onCalls.wait });
  return scene(
    { interceptors: [waits], ...options },
    { unary: () => handlers.wait().then(() => ({})), ...more },
    (base) => act({ ...base, onCalls, handlers }),
    () => {
      onCalls.release();
      handlers.release();
    },
  );
}

test("an onCall that is waited for is a running handler; once its call has ended it is an orphan, at its age abandoned", () =>
  waiting(async ({ server, time, onCalls, handlers, errors }) => {
    const peer = await MemoryPeer.ready(server);
    peer.send(unary(1));
    await turns();
    assert.deepEqual(server.stats().handlers, RUNNING);
    peer.send(frames.rstStream(1, CANCEL));
    await turns();
    assert.deepEqual(server.stats().handlers, ORPHANED);
    peer.destroy();
    await time.pass(31_000, 1_000);
    assert.deepEqual(server.stats().handlers, { running: 1, orphaned: 1, abandoned: 1 });
    assert.match(String(errors), /handler of \/volant\.test\.Lab\/Unary still runs .* an interceptor's onCall/);
    onCalls.release();
    await turns();
    assert.deepEqual(server.stats().handlers, NONE);
    assert.equal(handlers.begun, 0);
  }));

test("a call is counted once, while its onCall and while its handler is waited for, and orphaned in either", () =>
  waiting(async ({ server, onCalls, handlers }) => {
    const peer = await MemoryPeer.ready(server);
    peer.send(unary(1));
    await turns();
    onCalls.release();
    await turns();
    assert.deepEqual([server.stats().handlers, handlers.begun], [RUNNING, 1]);
    peer.send(frames.rstStream(1, CANCEL));
    await turns();
    assert.deepEqual(server.stats().handlers, ORPHANED);
    handlers.release();
    await turns();
    assert.deepEqual(server.stats().handlers, NONE);
  }));

test("an onCall that rejects is counted no more, and was no orphan: its call ends with it", () =>
  waiting(
    async ({ server, onCalls, errors }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(unary(1));
      await turns();
      onCalls.refuse(new RpcError(StatusCode.UNAUTHENTICATED, "no"));
      await turns();
      assert.deepEqual(server.stats().handlers, NONE);
      assert.equal(peer.countOf(/^HEADERS 1 .*grpc-status=16/), 1);
      // There is one place only: an orphan, however short, would have been reported.
      assert.deepEqual([server.stats().faults, errors], [{}, []]);
    },
    { maxOrphanedHandlers: 1 },
  ));

test("an onCall that ends its call and then waits is an orphan from the start", () => {
  const onCalls = new Stubborn();
  const interceptor: ServerInterceptor = () => ({
    onCall(call) {
      call.cancel(new RpcError(StatusCode.UNAUTHENTICATED, "no"));
      return onCalls.wait();
    },
  });
  return scene(
    { interceptors: [interceptor] },
    {},
    async ({ server }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(unary(1));
      await turns();
      assert.equal(peer.countOf(/^HEADERS 1 .*grpc-status=16/), 1);
      assert.deepEqual(server.stats().handlers, ORPHANED);
      onCalls.release();
      await turns();
      assert.deepEqual(server.stats().handlers, NONE);
    },
    onCalls.release,
  );
});

for (const [what, hooks] of [
  ["is synchronous", { onCall: (): void => undefined }],
  ["is not there", {}],
] as const) {
  test(`an onCall that ${what} is never counted`, async () => {
    const counts: number[] = [];
    let count = (): number => assert.fail("a call before its server");
    const counting = (): object => ({ number: counts.push(count()) });
    await scene({ interceptors: [() => hooks] }, { unary: counting }, async ({ server }) => {
      count = () => server.handlerCount;
      const peer = await MemoryPeer.ready(server);
      peer.send(unary(1));
      await turns();
      assert.equal(peer.countOf(/^HEADERS 1 .*grpc-status=0/), 1);
      assert.deepEqual([...counts, server.handlerCount], [0, 0]);
    });
  });
}

test("CVE-2023-44487 HEADERS and RST_STREAM of one connection run as many onCalls as it may have streams", () =>
  waiting(
    async ({ server, onCalls }) => {
      const peer = await MemoryPeer.ready(server);
      peer.send(resets(40));
      await turns();
      assert.deepEqual([onCalls.begun, peer.countOf(/^RST_STREAM \d+ REFUSED_STREAM/)], [10, 30]);
      assert.deepEqual(server.stats().handlers, { running: 10, orphaned: 10, abandoned: 0 });
      onCalls.release();
      await turns();
      peer.send(unary(81));
      await turns();
      assert.equal(onCalls.begun, 11, "places that are free are given again");
    },
    { http2: { maxConcurrentStreams: 10 } },
  ));

test("CVE-2023-44487 HEADERS and RST_STREAM of connection after connection run onCalls up to maxOrphanedHandlers", () =>
  waiting(
    async ({ server, onCalls }) => {
      for (let connection = 0; connection < 20; connection++) {
        const peer = await MemoryPeer.ready(server, `192.0.2.1:${connection}`);
        peer.send(resets(8));
        await turns();
        peer.destroy();
        await turns();
      }
      // A client alone gets half of all.
      assert.deepEqual(server.stats().handlers, { running: 20, orphaned: 20, abandoned: 0 });
      assert.equal(onCalls.begun, 20);
      assert.equal(server.stats().faults["orphaned-handlers"], 20 * 8 - 20);
    },
    { maxOrphanedHandlers: 40 },
  ));

test("a drain waits for the onCall of a call that is over", () =>
  waiting(async ({ server, onCalls }) => {
    const peer = await MemoryPeer.ready(server);
    peer.send(unary(1), frames.rstStream(1, CANCEL));
    await turns();
    peer.destroy();
    let isDrained = false;
    const drained = server.drain().then(() => {
      isDrained = true;
    });
    await turns();
    assert.deepEqual([server.connectionCount, isDrained], [0, false]);
    onCalls.release();
    await drained;
    assert.equal(server.handlerCount, 0);
  }));

for (const [what, method, next] of [
  ["the handler that follows an onCall", "Unary", "handler"],
  ["the iterable that follows a handler's promise", "Download", "iterable"],
] as const) {
  test(`a drain that began before it waits for ${what}`, () => {
    const endings = new Stubborn();
    const gate = new Stubborn();
    const download = async () => {
      await gate.wait();
      return (async function* () {
        await endings.wait();
        yield {};
      })();
    };
    return waiting(
      async ({ server, time, onCalls, handlers }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(request(1, method), frames.data(1, EMPTY).endStream());
        await turns();
        if (next === "iterable") {
          onCalls.release();
          await turns();
        }
        let isDrained = false;
        const drained = server.drain().then(() => {
          isDrained = true;
        });
        await turns();
        onCalls.release();
        gate.release();
        await turns();
        const following = next === "handler" ? handlers : endings;
        assert.equal(following.begun, 1);
        peer.destroy();
        await time.pass(2_000, 1_000);
        assert.deepEqual([server.connectionCount, server.handlerCount, isDrained], [0, 1, false]);
        following.release();
        await drained;
        assert.equal(server.handlerCount, 0);
      },
      {},
      { download: download as unknown as LabHandlers["download"] },
    );
  });
}

test("a request that came in frames of one octet while onCall waited is taken whole", () => {
  const onCalls = new Stubborn();
  const lengths: number[] = [];
  return scene(
    { interceptors: [() => ({ onCall: onCalls.wait })] },
    { unary: ({ body }) => ({ number: lengths.push(body.length) }) },
    async ({ server }) => {
      const peer = await MemoryPeer.ready(server);
      // Field 3, a byte string: tag, a length of two octets, then its content.
      const note = prefixed(Buffer.concat([Buffer.from([0x1a, 0x88, 0x0e]), Buffer.alloc(1_800)]));
      peer.send(request(1, "Unary"), ...Array.from(note, (octet) => frames.data(1, Buffer.from([octet]))));
      peer.send(frames.data(1, Buffer.alloc(0)).endStream());
      await turns();
      assert.deepEqual(lengths, []);
      onCalls.release();
      await turns();
      assert.deepEqual([lengths, peer.countOf(/^HEADERS 1 .*grpc-status=0/)], [[1_800], 1]);
    },
    onCalls.release,
  );
});
