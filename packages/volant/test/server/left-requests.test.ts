/** Handlers that leave their requests: what is still under way of these is nobody's business any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { frames } from "../../src/testing/frame-factory.ts";
import { MemoryPeer } from "../attacks/memory-peer.ts";
import { assertUnhurt, scene } from "../attacks/server-attack.ts";
import { turns } from "../attacks/virtual-time.ts";
import { call, prefixed } from "./support/raw-peer.ts";

/** Field 3, a byte string of 20,000 octets. */
const LARGE = prefixed(Buffer.concat([Buffer.of(0x1a, 0xa0, 0x9c, 0x01), Buffer.alloc(20_000)]));

for (const isCompleted of [true, false]) {
  const rest = isCompleted ? "arrives unread" : "never arrives";
  test(`a call whose handler left its requests inside a message goes on, although the rest ${rest}`, () => {
    const released = Promise.withResolvers<void>();
    const handlers = {
      async *chat(requests: AsyncIterable<unknown>) {
        for await (const _ of requests) break;
        yield { text: "left" };
        await released.promise;
        yield { text: "last" };
      },
    };
    return scene(
      { requestIdleTimeoutMs: 60_000 },
      handlers,
      async ({ server, time }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Chat"));
        // One chunk: the handler leaves when the second message has begun.
        peer.send(frames.data(1, Buffer.concat([prefixed(Buffer.alloc(0)), LARGE.subarray(0, 10_000)])));
        await turns();
        assert.equal(peer.dataFrames, 1);
        if (isCompleted) peer.send(frames.data(1, LARGE.subarray(10_000)));
        await time.pass(600_000, 10_000);
        assert.equal(server.streamCount, 1);
        released.resolve();
        await turns();
        assert.deepEqual([peer.dataFrames, peer.countOf(/^HEADERS 1 .*grpc-status=0/)], [2, 1]);
        assertUnhurt(server);
      },
      released.resolve,
    );
  });
}
