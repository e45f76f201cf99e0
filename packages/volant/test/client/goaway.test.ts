/** RFC 9113 §6.8: what a client does when its server goes away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { EchoService, echoHandlers } from "./support/echo-service.ts";
import { failure, until, withPeer, withServer } from "./support/harness.ts";
import type { PeerConnection, ScriptedPeer } from "./support/scripted-peer.ts";

const NO_ERROR = 0;
const LAST_ID = 0x7fff_ffff;

test("gRPC detail 31: §6.8 streams up to the last id finish; those above are sent again elsewhere, in order", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const calls = ["a", "b", "c"].map((value) => client.unary({ value }));
  const first = await peer.accept();
  await first.handshake();
  await first.sees(/^DATA 5 .*end/);
  first.write(frames.goAway(1, NO_ERROR));
  const second = await peer.accept();
  await second.handshake();
  await second.sees(/^DATA 1 .*end/);
  await second.sees(/^DATA 3 .*end/);
  second.answer(3, "c");
  second.answer(1, "b");
  assert.equal((await calls[1]!).value, "b");
  assert.equal((await calls[2]!).value, "c");
  first.answer(1, "a");
  assert.equal((await calls[0]!).value, "a");
  await first.closed();
  assert.equal(channel.state, "READY");
});

test("gRPC detail 30: §6.8 a GOAWAY without an end in sight ends nothing: new calls have a new connection", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const call = client.unary({ value: "a" });
  const first = await peer.accept();
  await first.handshake();
  await first.sees(/^DATA 1 .*end/);
  first.write(frames.goAway(LAST_ID, NO_ERROR, "draining"));
  await until(() => channel.state === "IDLE");
  const next = client.unary({ value: "b" });
  const second = await peer.accept();
  await second.handshake();
  await second.sees(/^DATA 1 .*end/);
  second.answer(1, "b");
  assert.equal((await next).value, "b");
  first.write(frames.goAway(1, NO_ERROR));
  first.answer(1, "a");
  assert.equal((await call).value, "a");
  await first.closed();
});

test("gRPC detail 31: §6.8 GOAWAY right behind the first SETTINGS costs the call nothing", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "a" });
  const first = await peer.accept();
  first.write(frames.settings(), frames.settingsAck(), frames.goAway(0, NO_ERROR));
  const second = await peer.accept();
  await second.handshake();
  await second.sees(/^DATA 1 .*end/);
  second.answer(1, "a");
  assert.equal((await call).value, "a");
  assert.equal(first.log.filter((line) => line.startsWith("HEADERS")).length, 0);
});

test("a server that only ever says GOAWAY is waited for, not connected to in a loop", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const call = client.unary({ value: "a" });
  for (let n = 0; n < 2; n++) {
    (await peer.accept()).write(frames.settings(), frames.settingsAck(), frames.goAway(0, NO_ERROR, "go"));
  }
  const error = await failure(call, StatusCode.UNAVAILABLE);
  assert.match(error.message, /no connection to 127.* the server sent GOAWAY NO_ERROR \(go\)/);
  assert.equal(channel.state, "TRANSIENT_FAILURE");
  assert.equal(peer.count, 2);
});

test("a connection that answered is replaced at once, however often", async (t) => {
  const { peer, client } = await withPeer(t);
  for (let n = 0; n < 5; n++) {
    const call = client.unary({ value: "a" });
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1 .*end/);
    connection.answer(1, "a");
    connection.write(frames.goAway(1, NO_ERROR));
    assert.equal((await call).value, "a");
    await connection.closed();
  }
});

/** A call that has arrived on the next connection, on stream 1. */
async function nextRequest(peer: ScriptedPeer): Promise<PeerConnection> {
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  return connection;
}

for (const [which, lastId] of Object.entries({ "every id": LAST_ID, "the last stream": 1 })) {
  test(`a server that says GOAWAY with ${which} and then answers is connected to at once, however often`, async (t) => {
    const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
    for (let n = 0; n < 5; n++) {
      const call = client.unary({ value: "a" });
      const connection = await nextRequest(peer);
      connection.write(frames.goAway(lastId, NO_ERROR, "max_age"));
      await until(() => channel.state === "IDLE");
      connection.answer(1, "a");
      assert.equal((await call).value, "a");
      await connection.closed();
    }
    assert.equal(peer.count, 5);
  });
}

test("connections that wait for their answers after GOAWAY are no failures: the calls behind them start at once", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  const calls: PromiseLike<{ value: string }>[] = [];
  const connections: PeerConnection[] = [];
  for (let n = 0; n < 5; n++) {
    calls.push(client.unary({ value: String(n) }));
    connections.push(await nextRequest(peer));
    connections[n]!.write(frames.goAway(LAST_ID, NO_ERROR));
    await until(() => channel.state === "IDLE");
  }
  for (const [n, connection] of connections.entries()) connection.answer(1, String(n));
  assert.deepEqual(
    (await Promise.all(calls)).map(({ value }) => value),
    ["0", "1", "2", "3", "4"],
  );
});

test("an answer makes up for losses before it, also when it comes after GOAWAY", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  const lose = async (): Promise<void> => {
    (await peer.accept()).write(frames.settings(), frames.settingsAck(), frames.goAway(0, NO_ERROR));
  };
  for (let n = 0; n < 3; n++) {
    const call = client.unary({ value: "a" });
    await lose();
    const connection = await nextRequest(peer);
    connection.write(frames.goAway(LAST_ID, NO_ERROR));
    await until(() => channel.state === "IDLE");
    connection.answer(1, "a");
    assert.equal((await call).value, "a");
  }
});

test("an answer after GOAWAY ends a backoff", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  const slow = client.unary({ value: "slow" });
  const first = await nextRequest(peer);
  first.write(frames.goAway(LAST_ID, NO_ERROR));
  await until(() => channel.state === "IDLE");
  const next = client.unary({ value: "next" }, { waitForReady: true });
  (await peer.accept()).destroy();
  await until(() => channel.state === "TRANSIENT_FAILURE");
  first.answer(1, "slow");
  assert.equal((await slow).value, "slow");
  (await nextRequest(peer)).answer(1, "next");
  assert.equal((await next).value, "next");
});

test("a server that takes calls, says GOAWAY and closes without an answer is waited for", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  for (let n = 0; n < 2; n++) {
    const call = client.unary({ value: "a" });
    const connection = await nextRequest(peer);
    connection.write(frames.goAway(LAST_ID, NO_ERROR));
    await until(() => channel.state === "IDLE");
    connection.destroy();
    await failure(call, StatusCode.UNAVAILABLE);
  }
  assert.equal(channel.state, "TRANSIENT_FAILURE");
  await failure(client.unary({ value: "b" }), StatusCode.UNAVAILABLE);
  assert.equal(peer.count, 2);
});

test("a server that takes calls, says GOAWAY and is silent does not get a connection for each call without end", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  const calls: PromiseLike<unknown>[] = [];
  while (channel.state !== "TRANSIENT_FAILURE") {
    assert.ok(peer.count < 50, "still no backoff");
    calls.push(client.unary({ value: "a" }));
    (await nextRequest(peer)).write(frames.goAway(LAST_ID, NO_ERROR));
    await until(() => channel.state !== "READY");
  }
  assert.equal(peer.count, 18);
  await failure(client.unary({ value: "b" }), StatusCode.UNAVAILABLE);
  const endings = Promise.all(calls.map((call) => failure(call, StatusCode.CANCELLED)));
  await channel.close();
  await endings;
});

test("calls without end while the server restarts again and again: none fails", async (t) => {
  const { server, client, port } = await withServer(t, {}, { backoff: { initialMs: 1, maxMs: 1 } });
  const work = { isOver: false, done: 0 };
  const loops = Array.from({ length: 8 }, async () => {
    for (; !work.isOver; work.done++) {
      assert.equal((await client.unary({ value: "x" }, { waitForReady: true })).value, "x");
    }
  });
  let current = server;
  for (let restarts = 0; restarts <= 5; restarts++) {
    const enough = work.done + 50;
    await until(() => work.done > enough);
    if (restarts === 5) break;
    await current.drain();
    current = new Server();
    current.add(EchoService, echoHandlers);
    await current.listen({ port, host: "127.0.0.1" });
    t.after(() => current.close());
  }
  work.isOver = true;
  await Promise.all(loops);
});
