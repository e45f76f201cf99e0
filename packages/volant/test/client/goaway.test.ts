/** RFC 9113 §6.8: what a client does when its server goes away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { EchoService, echoHandlers } from "./support/echo-service.ts";
import { failure, until, withPeer, withServer } from "./support/harness.ts";

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
