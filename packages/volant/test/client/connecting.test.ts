/** From a target to a connection that is ready: gRPC connectivity-semantics, connection-backoff, wait-for-ready. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp1Server } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Channel, createClient, Server, StatusCode } from "volant";
import type { Connector } from "../../src/client/connector.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { useFakeClock } from "../../src/testing/index.ts";
import { SocketWire } from "../../src/transport/socket-wire.ts";
import { EchoService, echoHandlers } from "./support/echo-service.ts";
import { failure, openChannel, until, withPeer, withServer } from "./support/harness.ts";

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function listener(t: TestContext, server: ReturnType<typeof createServer>) {
  t.after(async () => {
    server.close();
    await once(server, "close");
  });
}

async function echoServer(t: TestContext, port: number): Promise<Server> {
  const server = new Server();
  server.add(EchoService, echoHandlers);
  await server.listen({ port, host: "127.0.0.1" });
  t.after(() => server.close());
  return server;
}

test("nobody listens: UNAVAILABLE names the target and the system's reason", async (t) => {
  const port = await freePort();
  const { client, channel } = openChannel(t, `127.0.0.1:${port}`);
  const error = await failure(client.unary({ value: "a" }), StatusCode.UNAVAILABLE);
  assert.equal(error.message, `no connection to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
  assert.equal(channel.state, "TRANSIENT_FAILURE");
});

test("a server that accepts and sends no SETTINGS: UNAVAILABLE within connectTimeoutMs, and the socket is closed", async (t) => {
  const clock = useFakeClock(t);
  const { peer, client } = await withPeer(t, { connectTimeoutMs: 5_000 });
  const failed = failure(client.unary({ value: "a" }), StatusCode.UNAVAILABLE);
  const connection = await peer.accept();
  await connection.sees(/^SETTINGS/);
  await clock.advance(5_000);
  assert.match((await failed).message, /sent no HTTP\/2 SETTINGS within 5000 ms/);
  await connection.closed();
});

test("§3.4 an HTTP/1 server is named as one", async (t) => {
  const server = createHttp1Server((_request, response) => response.end("hello"));
  server.on("clientError", (_error, socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  listener(t, server);
  const { client } = openChannel(t, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.match((await failure(client.unary({ value: "a" }), StatusCode.UNAVAILABLE)).message, /HTTP\/1/);
});

test("§3.4 a server that speaks something else is UNAVAILABLE at once", async (t) => {
  const tlsAlerts = "\x15\x03\x03\x00\x02\x02\x28".repeat(2);
  for (const words of ["220 mail.example ESMTP ready\r\n", tlsAlerts, "\0\0\0\0\0\0\0\0\0"]) {
    const { peer, client } = await withPeer(t);
    const call = client.unary({ value: "a" });
    (await peer.accept()).write(Buffer.from(words, "latin1"));
    await failure(call, StatusCode.UNAVAILABLE);
  }
});

test("a server that closes without a word is UNAVAILABLE at once", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "a" });
  (await peer.accept()).socket.end();
  assert.match((await failure(call, StatusCode.UNAVAILABLE)).message, /the server closed the connection/);
});

test("gRPC detail 40: a call that waits for ready waits through failed attempts", async (t) => {
  const port = await freePort();
  const { client, channel } = openChannel(t, `127.0.0.1:${port}`, { backoff: { initialMs: 1, maxMs: 5 } });
  const call = client.unary({ value: "a" }, { waitForReady: true });
  const states: string[] = [];
  channel.watchState((state) => states.push(state));
  await until(() => states.filter((state) => state === "TRANSIENT_FAILURE").length >= 3);
  await echoServer(t, port);
  assert.equal((await call).value, "a");
});

test("gRPC detail 40: a call that does not wait for ready is UNAVAILABLE while the backoff lasts, without another attempt", async (t) => {
  const { peer, client, channel } = await withPeer(t, { backoff: { initialMs: 100_000 } });
  const first = client.unary({ value: "a" });
  (await peer.accept()).destroy();
  await failure(first, StatusCode.UNAVAILABLE);
  await failure(client.unary({ value: "b" }), StatusCode.UNAVAILABLE);
  await failure(client.unary({ value: "c" }, { waitForReady: true, timeoutMs: 10 }), StatusCode.DEADLINE_EXCEEDED);
  assert.equal(channel.state, "TRANSIENT_FAILURE");
  assert.equal(peer.count, 1);
});

test("a server that is back serves the next call, and what it lost is told", async (t) => {
  const { server, client, port, channel } = await withServer(t);
  assert.equal((await client.unary({ value: "a" })).value, "a");
  await server.close();
  await until(() => channel.state === "IDLE");
  await echoServer(t, port);
  assert.equal((await client.unary({ value: "b" })).value, "b");
});

test("states are told in order, also where a watcher moves them on", async (t) => {
  const { channel, client, server } = await withServer(t);
  const seen: string[] = [];
  const stop = channel.watchState((state) => {
    if (state === "IDLE") channel.connect().catch(() => undefined);
  });
  channel.watchState((state) => seen.push(state));
  assert.equal(channel.state, "IDLE");
  await client.unary({ value: "a" });
  await server.close();
  await until(() => channel.state === "TRANSIENT_FAILURE");
  stop();
  await channel.close();
  assert.deepEqual(seen, ["CONNECTING", "READY", "IDLE", "CONNECTING", "TRANSIENT_FAILURE", "SHUTDOWN"]);
});

test("a watcher that throws is reported and breaks nothing; one that stopped hears no more", async (t) => {
  const errors: unknown[] = [];
  const { channel, client } = await withServer(t, {}, { onError: (error) => errors.push(error) });
  const seen: string[] = [];
  channel.watchState(() => {
    throw new Error("watcher");
  });
  const listener = (state: string) => seen.push(state);
  channel.watchState(listener);
  channel.watchState(listener)();
  await client.unary({ value: "a" });
  assert.deepEqual(seen, ["CONNECTING", "READY"]);
  assert.equal(errors.length, 2);
});

test("a watcher may close the channel in the middle of connecting", async (t) => {
  const { channel, client } = await withServer(t);
  channel.watchState((state) => {
    if (state === "CONNECTING") void channel.close();
  });
  await failure(client.unary({ value: "a" }), StatusCode.CANCELLED);
  assert.equal(channel.state, "SHUTDOWN");
});

test("connect() resolves when the channel is ready, and rejects when the attempt fails or the channel closes", async (t) => {
  const { channel } = await withServer(t);
  await channel.connect();
  assert.equal(channel.state, "READY");
  await channel.connect();
  const refused = openChannel(t, `127.0.0.1:${await freePort()}`);
  await failure(refused.channel.connect(), StatusCode.UNAVAILABLE);
  const silent = await withPeer(t);
  const connecting = silent.channel.connect();
  await silent.peer.accept();
  await silent.channel.close();
  await failure(connecting, StatusCode.CANCELLED);
  await failure(silent.channel.connect(), StatusCode.CANCELLED);
});

test("close() ends calls in every state with CANCELLED, and later ones too", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  const running = client.unary({ value: "a" });
  const waiting = client.unary({ value: "b" });
  const stream = client.chat();
  const connection = await peer.accept();
  await connection.handshake([3, 1]);
  await connection.sees(/^DATA 1 .*end/);
  const closing = channel.close();
  await Promise.all([running, waiting].map((call) => failure(call, StatusCode.CANCELLED)));
  await failure(stream.send({ value: "x" }), StatusCode.CANCELLED);
  await failure(client.unary({ value: "c" }), StatusCode.CANCELLED);
  await closing;
  await channel.close();
  await connection.closed();
});

test("a connector that answers before it returns is fine, connected or failed", async (t) => {
  const { port } = await withServer(t);
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const instant: Connector = (_endpoint, events) => {
    events.onConnected((sink) => new SocketWire(socket, sink));
    return () => undefined;
  };
  await using ready = new Channel("test:1", {}, instant);
  assert.equal((await createClient(EchoService, ready).unary({ value: "a" })).value, "a");
  await using failed = new Channel("test:1", {}, (_endpoint, events) => {
    events.onFailed("out of sockets");
    return () => undefined;
  });
  const error = await failure(createClient(EchoService, failed).unary({ value: "a" }), StatusCode.UNAVAILABLE);
  assert.match(error.message, /out of sockets/);
});

test("a Unix socket and IPv6 are targets like any other", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = new Server();
  t.after(() => server.close());
  server.add(EchoService, { ...echoHandlers, unary: (_request, call) => ({ value: call.peer.address }) });
  const path = join(folder, "s");
  await server.listen({ path });
  const { port } = await server.listen({ host: "::1", port: 0 });
  const overUnix = openChannel(t, `unix:${path}`);
  await overUnix.client.unary({ value: "" });
  assert.equal(overUnix.channel.authority, "localhost");
  const overIpv6 = openChannel(t, `ipv6:[::1]:${port}`);
  assert.match((await overIpv6.client.unary({ value: "" })).value, /^\[::1\]:\d+$/);
});

test("a name with several addresses reaches the one that answers", async (t) => {
  const { port } = await withServer(t);
  const { client } = openChannel(t, `dns:///localhost:${port}`);
  assert.equal((await client.unary({ value: "a" })).value, "a");
});

test("gRPC detail 32: three quarters of the stream ids used open another connection", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  await assert.doesNotReject(async () => {
    const warm = client.unary({ value: "a" });
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1 .*end/);
    connection.answer(1, "a");
    await warm;
    const { subchannel } = channel as unknown as { subchannel: { pick(): { http2: { parts: unknown } } } };
    const { parts } = subchannel.pick().http2 as { parts: { streams: { nextLocalId: number } } };
    parts.streams.nextLocalId = 0x6000_0001;
    const last = client.unary({ value: "last" });
    const next = client.unary({ value: "next" });
    const second = await peer.accept();
    await second.handshake();
    await second.sees(/^DATA 1 .*end/);
    second.answer(1, "next");
    assert.equal((await next).value, "next");
    await connection.sees(/^DATA 1610612737 .*end/);
    connection.answer(0x6000_0001, "last");
    assert.equal((await last).value, "last");
    await connection.closed();
  });
});

test("gRPC detail 33: after too_many_pings the next connection pings half as often", async (t) => {
  const { peer, client, channel } = await withPeer(t, { keepalive: { timeMs: 10_000 } });
  const call = client.unary({ value: "a" });
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  connection.write(frames.goAway(1, 11, "too_many_pings"));
  connection.answer(1, "a");
  await call;
  const { subchannel } = channel as unknown as { subchannel: { keepalive: { timeMs: number } } };
  assert.equal(subchannel.keepalive.timeMs, 20_000);
});
