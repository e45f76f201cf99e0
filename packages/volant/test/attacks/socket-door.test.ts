import assert from "node:assert/strict";
import { test } from "node:test";
import { frames } from "../../src/testing/frame-factory.ts";
import { call } from "../server/support/raw-peer.ts";
import { ATTACK_WIRES, overWire, wireInUse } from "./attack-wire.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { scene } from "./server-attack.ts";
import { turns } from "./virtual-time.ts";

for (const wire of ATTACK_WIRES) {
  test(`over ${wire}, what a peer sent is read and answered once its turns have passed`, () =>
    overWire(wire, () =>
      scene({}, {}, async ({ server }) => {
        const peer = await MemoryPeer.ready(server);
        for (let count = 1; count <= 50; count++) {
          peer.send(
            frames
              .headers(2 * count - 1)
              .request("POST", "/no/method")
              .endStream(),
            frames.ping(),
          );
          await turns();
          assert.equal(peer.countOf(/^PING/), count);
        }
      }),
    ));

  test(`over ${wire}, a peer that destroys its end is gone from the server once its turns have passed`, () =>
    overWire(wire, () =>
      scene({}, {}, async ({ server }) => {
        const peer = await MemoryPeer.ready(server);
        peer.send(call(1, "Chat"));
        await turns();
        assert.deepEqual([server.connectionCount, server.streamCount], [1, 1]);
        peer.destroy();
        await turns();
        assert.deepEqual([peer.isClosed, server.connectionCount], [true, 0]);
      }),
    ));
}

// The limit is asked at accept, so a peer in memory never meets it.
for (const wire of ["tcp", "tls"] as const) {
  test(`over ${wire}, peers of two addresses are two clients for a limit per address`, () =>
    overWire(wire, () =>
      scene({ maxConnectionsPerAddress: 1 }, {}, async ({ server }) => {
        const first = await MemoryPeer.ready(server, "192.0.2.1:1");
        const second = await MemoryPeer.ready(server, "192.0.2.1:2");
        const other = await MemoryPeer.ready(server, "192.0.2.2:1");
        assert.deepEqual([first.isClosed, second.isClosed, other.isClosed], [false, true, false]);
      }),
    ));
}

test("the wire of an attack that throws is not that of the next", async () => {
  await assert.rejects(overWire("tls", () => Promise.reject(new Error("it fails"))));
  assert.equal(wireInUse(), "memory");
});
