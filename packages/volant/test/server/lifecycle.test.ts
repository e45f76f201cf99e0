/** From listen to the end: addresses, limits on connections, drain and close. RFC 9113 §6.8. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { createClient, RpcError, Server, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { createTestChannel, eventually, useFakeClock, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, echo, failureOf, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { UNAVAILABLE } = StatusCode;
const EMPTY = prefixed(Buffer.alloc(0));

test("a server listens on several addresses, and tells which", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const second = await lab.server.listen({ host: "127.0.0.1" });
  assert.ok(second.port > 0 && second.port !== lab.port);
  assert.equal(second.host, "127.0.0.1");
});

test("a port in use is an error, and the server can listen elsewhere", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const other = new Server();
  lab.defer(() => other.close());
  const inUse = other.listen({ port: lab.port, host: "127.0.0.1" });
  await assert.rejects(inUse, (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE");
  assert.ok((await other.listen({ host: "127.0.0.1" })).port > 0);
});

test("a Unix socket is there while the server listens, and its peers are named by it", async (t) => {
  let address = "";
  const lab = await useServer(
    t,
    withHandlers({
      unary(note, call) {
        address = call.peer.address;
        return note;
      },
    }),
    { over: "unix" },
  );
  await lab.client(Lab).unary({});
  assert.equal(address, `unix:${lab.path}`);
  assert.ok(existsSync(lab.path));
  await lab.server.close();
  assert.equal(existsSync(lab.path), false);
});

test("a server that was stopped refuses to begin again, and says what to do", async () => {
  const server = new Server();
  await server.close();
  await server.close();
  await server.drain();
  await assert.rejects(server.listen(), /this server is stopped; make a new one/);
  const channel = createTestChannel(server);
  const call = createClient(Lab, channel).unary({});
  const error = await failureOf(call, UNAVAILABLE);
  assert.match(error.message, /this server is stopped/);
  await channel.close();
});

test("await using closes a server", async () => {
  let port = 0;
  {
    await using server = new Server();
    port = (await server.listen({ host: "127.0.0.1" })).port;
  }
  await using next = new Server();
  assert.equal((await next.listen({ port, host: "127.0.0.1" })).port, port);
});

test("services and connections can be asked for", async (t) => {
  const lab = await useServer(t, withHandlers({}), { over: "memory" });
  assert.deepEqual(lab.server.services, [Lab]);
  assert.deepEqual([lab.server.connectionCount, lab.server.streamCount, lab.server.handlerCount], [0, 0, 0]);
  await lab.client(Lab).unary({});
  assert.equal(lab.server.connectionCount, 1);
});

test("connections above maxConnections are closed, those below go on, and a place that is freed is given again", async (t) => {
  const lab = await useServer(t, withHandlers({}), { server: { maxConnections: 2 } });
  const [first, second] = [await RawPeer.ready(lab), await RawPeer.ready(lab)];
  const third = await RawPeer.open(lab);
  await third.closed();
  assert.equal(lab.server.connectionCount, 2);
  first.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  assert.match((await first.answer(1)).at(-1)!, /grpc-status=0/);
  second.socket.destroy();
  await eventually("the place to be free", () => lab.server.connectionCount === 1);
  await RawPeer.ready(lab);
});

test("gRPC detail 30: RFC 9113 §6.8 drain: in-flight calls finish, new streams are told to go elsewhere, then the connection closes", async (t) => {
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  await eventually("the call to run", () => lab.server.handlerCount === 1);
  let isDrained = false;
  const drained = lab.server.drain().then(() => {
    isDrained = true;
  });
  assert.match(await peer.line(/^GOAWAY/), /^GOAWAY last=2147483647 NO_ERROR/);
  // Sent before the client knew: it is served.
  peer.send(request(3, "Download"), frames.data(3, EMPTY).endStream());
  assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
  const ping = await peer.line(/^PING/);
  peer.send(frames.raw(6, 1, 0, Buffer.from(ping.split(" ")[1]!, "hex")));
  await peer.line(/^GOAWAY last=3 NO_ERROR/);
  assert.equal(isDrained, false);
  gate.resolve({ text: "done" });
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
  await peer.closed();
  await drained;
});

test("drain with our own client loses no call: each one finishes or was never begun", async (t) => {
  let handled = 0;
  const lab = await useServer(
    t,
    withHandlers({
      async unary(note) {
        await new Promise((resolve) => setImmediate(resolve));
        handled++;
        return note;
      },
    }),
  );
  const client = lab.client(Lab);
  let finished = 0;
  let isStopping = false;
  const caller = async (): Promise<void> => {
    while (!isStopping) {
      try {
        await client.unary({});
        finished++;
      } catch (error) {
        assert.ok(error instanceof RpcError && error.code === UNAVAILABLE, String(error));
        assert.match(error.message, /no connection to/, "only calls that were never sent fail");
        return;
      }
    }
  };
  const callers = Array.from({ length: 20 }, caller);
  await eventually("calls to be under way", () => finished > 200);
  await lab.server.drain();
  isStopping = true;
  await Promise.all(callers);
  assert.equal(finished, handled);
});

test("drain waits for a handler whose call is over already", async (t) => {
  const gate = Promise.withResolvers<void>();
  let isWritten = false;
  const lab = await useServer(
    t,
    withHandlers({
      async unary() {
        await gate.promise;
        isWritten = true;
        return {};
      },
    }),
  );
  const controller = new AbortController();
  const failed = failureOf(lab.client(Lab).unary({}, { signal: controller.signal }), StatusCode.CANCELLED);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  controller.abort();
  await failed;
  let isDrained = false;
  const drained = lab.server.drain().then(() => {
    isDrained = true;
  });
  await eventually("every connection to be gone", () => lab.server.connectionCount === 0);
  assert.equal(isDrained, false);
  gate.resolve();
  await drained;
  assert.equal(isWritten, true);
});

test("drain waits for a handler that began during it, although its client is gone by then", async (t) => {
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Unary"));
  await eventually("the stream", () => lab.server.stats().streams === 1);
  let isDrained = false;
  const drained = lab.server.drain().then(() => {
    isDrained = true;
  });
  await peer.line(/^GOAWAY/);
  peer.send(frames.data(1, EMPTY).endStream());
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  peer.socket.destroy();
  await eventually("every connection to be gone", () => lab.server.connectionCount === 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([isDrained, lab.server.handlerCount], [false, 1]);
  gate.resolve({});
  await drained;
  assert.equal(lab.server.handlerCount, 0);
});

test("grace that is over ends what is left: calls are cancelled, their clients see UNAVAILABLE", async (t) => {
  const aborted: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_note, call) =>
        new Promise((_, reject) =>
          call.signal.addEventListener("abort", () => {
            aborted.push(call.method.name);
            reject(call.signal.reason);
          }),
        ),
    }),
  );
  const failed = failureOf(lab.client(Lab).unary({}), UNAVAILABLE);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  await lab.server.drain({ graceMs: 20 });
  await failed;
  assert.deepEqual(aborted, ["Unary"]);
});

test("drain may be called again with a shorter grace, and not with an illegal one", async (t) => {
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }));
  const failed = failureOf(lab.client(Lab).unary({}), UNAVAILABLE);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  const long = lab.server.drain({ graceMs: 1_000_000 });
  await assert.rejects(lab.server.drain({ graceMs: -1 }), /graceMs: -1 given, a number 0 or more is allowed/);
  await lab.server.drain({ graceMs: 0 });
  await long;
  await failed;
  gate.resolve({});
});

test("close ends calls at once, and does not wait for handlers that never settle", async (t) => {
  const gate = Promise.withResolvers<object>();
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }));
  const failed = failureOf(lab.client(Lab).unary({}), UNAVAILABLE);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  await lab.server.close();
  await failed;
  assert.equal(lab.server.handlerCount, 1);
  gate.resolve({});
});

test("a server may be closed or drained from inside a handler", async () => {
  for (const stop of ["drain", "close"] as const) {
    const server = new Server();
    server.add(Lab, {
      ...echo,
      unary(note) {
        void server[stop]();
        return note;
      },
    });
    const channel = createTestChannel(server);
    const call = createClient(Lab, channel).unary({ text: "x" });
    if (stop === "drain") assert.equal((await call).text, "x");
    else await failureOf(call, UNAVAILABLE);
    await eventually("the server to be done", () => server.connectionCount === 0);
    await channel.close();
  }
});

test("an idle connection is drained; one that is used, however long its call, is not", async (t) => {
  const clock = useFakeClock(t);
  const gate = Promise.withResolvers<object>();
  const options = { server: { maxConnectionIdleMs: 60_000 } };
  const lab = await useServer(t, withHandlers({ unary: () => gate.promise }), options);
  const [idle, busy] = [await RawPeer.ready(lab), await RawPeer.ready(lab)];
  busy.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  // A connection that was used when it is looked at gets another round.
  await clock.advance(120_000);
  await idle.line(/^GOAWAY/);
  const ping = await idle.line(/^PING/);
  idle.send(frames.raw(6, 1, 0, Buffer.from(ping.split(" ")[1]!, "hex")));
  await idle.closed();
  assert.equal(
    busy.lines.some((line) => line.startsWith("GOAWAY")),
    false,
  );
  gate.resolve({});
  assert.match((await busy.answer(1)).at(-1)!, /grpc-status=0/);
  await clock.advance(180_000);
  await busy.line(/^GOAWAY/);
});

test("a client that reconnects after an idle connection was drained loses no call", async (t) => {
  const lab = await useServer(t, withHandlers({}), { server: { maxConnectionIdleMs: 200 } });
  const client = lab.client(Lab);
  for (let round = 0; round < 3; round++) {
    assert.equal((await client.unary({ text: "x" })).text, "echo x");
    await eventually("the connection to be gone", () => lab.server.connectionCount === 0);
  }
});

test("a service added while the server listens is served at once, partially where that was asked for", async (t) => {
  const lab = await useServer(t, () => undefined);
  const client = lab.client(Lab);
  await failureOf(client.unary({}), StatusCode.UNIMPLEMENTED);
  lab.server.add(Lab, { download: echo.download }, { partial: true });
  await failureOf(client.unary({}), StatusCode.UNIMPLEMENTED);
  assert.equal((await collect(client.download({ number: 2 }))).length, 2);
});
