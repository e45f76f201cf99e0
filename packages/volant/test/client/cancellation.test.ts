/** Calls that end early: cancel, signal, deadline, parent. Every one settles once and leaves nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallOptions, type ServerCall, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { type EchoHandlers, type EchoService, messageBytes, UNENCODABLE } from "./support/echo-service.ts";
import {
  allOf,
  armedTimers,
  drained,
  type EchoClient,
  failure,
  letDeadlinesPass,
  listenerCount,
  until,
  withPeer,
  withServer,
} from "./support/harness.ts";
import { headersSeen, refuse } from "./support/retrying.ts";

type Call = { promise: Promise<unknown>; cancel?: () => void };

/** Each kind as a promise of its end. */
const KINDS: Record<keyof typeof EchoService.method, (client: EchoClient, options: CallOptions) => Call> = {
  unary: (client, options) => ({ promise: client.unary({ value: "a" }, options) }),
  download(client, options) {
    const call = client.download({ value: "9" }, options);
    return { promise: allOf(call), cancel: () => call.cancel() };
  },
  upload(client, options) {
    const call = client.upload(undefined, options);
    return { promise: (async () => await call)(), cancel: () => call.cancel() };
  },
  chat(client, options) {
    const call = client.chat(undefined, options);
    return { promise: allOf(call), cancel: () => call.cancel() };
  },
};

type Fixture = Awaited<ReturnType<typeof withPeer>>;

/** How far a call is when it ends. */
const STAGES: Record<string, (fixture: Fixture) => Promise<(() => Promise<unknown>) | undefined>> = {
  async connecting({ peer }) {
    await peer.accept();
    return undefined;
  },
  async queued({ peer }) {
    const connection = await peer.accept();
    await connection.handshake([3, 0]);
    return async () => assert.equal(connection.log.filter((line) => line.startsWith("HEADERS")).length, 0);
  },
  async started({ peer }) {
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^HEADERS 1/);
    return () => connection.sees(/^RST_STREAM 1 CANCEL/);
  },
  async "between attempts"({ peer, channel }) {
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^HEADERS 1/);
    refuse(connection, 1);
    await until(() => channel.pendingCount === 1);
    return async () => assert.equal(headersSeen(connection).length, 1);
  },
  async "headers received"({ peer }) {
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^HEADERS 1/);
    connection.write(connection.headers(1), frames.ping());
    await connection.sees(/^PING/);
    return () => connection.sees(/^RST_STREAM 1 CANCEL/);
  },
  async "inside a message"({ peer }) {
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^HEADERS 1/);
    connection.write(connection.headers(1), frames.data(1, messageBytes("pong").subarray(0, 7)), frames.ping());
    await connection.sees(/^PING/);
    return () => connection.sees(/^RST_STREAM 1 CANCEL/);
  },
};

/** The wait behind an attempt that failed is longer than any test. */
const PATIENT = { retry: { methods: "all", backoff: { initialMs: 1_000_000, maxMs: 1_000_000 } } } as const;

for (const [stage, reach] of Object.entries(STAGES)) {
  for (const [kind, begin] of Object.entries(KINDS)) {
    test(`${kind}, ${stage}: its signal ends it with CANCELLED and the signal's reason`, async (t) => {
      const fixture = await withPeer(t, PATIENT);
      const controller = new AbortController();
      const { promise } = begin(fixture.client, { signal: controller.signal, timeoutMs: 10_000_000 });
      promise.catch(() => undefined);
      const check = await reach(fixture);
      const timers = armedTimers();
      const reason = new Error("enough");
      controller.abort(reason);
      assert.equal((await failure(promise, StatusCode.CANCELLED)).cause, reason);
      await check?.();
      assert.equal(listenerCount(controller.signal), 0);
      assert.equal(fixture.channel.pendingCount, 0);
      assert.ok(armedTimers() < timers, "the deadline is still armed");
    });

    test(`gRPC detail 8: ${kind}, ${stage}: its deadline ends it, and RST_STREAM CANCEL tells the server`, async (t) => {
      const fixture = await withPeer(t, PATIENT);
      const controller = new AbortController();
      const { promise } = begin(fixture.client, { signal: controller.signal, timeoutMs: 10_000_000 });
      promise.catch(() => undefined);
      const check = await reach(fixture);
      letDeadlinesPass();
      await failure(promise, StatusCode.DEADLINE_EXCEEDED);
      await check?.();
      assert.equal(listenerCount(controller.signal), 0);
    });

    test(`${kind}, ${stage}: the loss of the connection or the end of the channel ends it once`, async (t) => {
      const fixture = await withPeer(t, PATIENT);
      const { promise } = begin(fixture.client, {});
      promise.catch(() => undefined);
      await reach(fixture);
      await fixture.channel.close();
      await failure(promise, StatusCode.CANCELLED);
    });

    if (kind === "unary") continue;
    test(`${kind}, ${stage}: cancel() ends it, also twice`, async (t) => {
      const fixture = await withPeer(t, PATIENT);
      const { promise, cancel } = begin(fixture.client, {});
      promise.catch(() => undefined);
      const check = await reach(fixture);
      cancel!();
      cancel!();
      await failure(promise, StatusCode.CANCELLED);
      await check?.();
    });
  }
}

test("a signal that has fired, and a deadline that has passed, send nothing", async (t) => {
  const { peer, client } = await withPeer(t);
  await failure(client.unary({ value: "a" }, { signal: AbortSignal.abort() }), StatusCode.CANCELLED);
  await failure(client.unary({ value: "a" }, { timeoutMs: 0 }), StatusCode.DEADLINE_EXCEEDED);
  await failure(client.unary({ value: "a" }, { deadline: new Date(0) }), StatusCode.DEADLINE_EXCEEDED);
  const { error } = await drained(client.download({ value: "1" }, { signal: AbortSignal.abort() }));
  assert.equal((error as { code: number }).code, StatusCode.CANCELLED);
  assert.equal(peer.count, 0);
});

test("a cancelled stream drops what arrived and nobody took", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.download({ value: "2" });
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  connection.write(connection.headers(1), frames.data(1, messageBytes("a")), frames.ping());
  await connection.sees(/^PING/);
  call.cancel();
  const { values, error } = await drained(call);
  assert.deepEqual(values, []);
  assert.equal((error as { code: number }).code, StatusCode.CANCELLED);
});

test("onTrailers that cancels does not change the status that came with them", async (t) => {
  const { client } = await withServer(t);
  const controller = new AbortController();
  const call = client.unary({ value: "a" }, { signal: controller.signal, onTrailers: () => controller.abort() });
  assert.equal((await call).value, "a");
});

test("onHeaders that cancels ends the call there", async (t) => {
  const { client } = await withServer(t);
  const controller = new AbortController();
  const call = client.unary({ value: "a" }, { signal: controller.signal, onHeaders: () => controller.abort() });
  await failure(call, StatusCode.CANCELLED);
});

test("leaving a loop cancels the call on the server", async (t) => {
  const left = Promise.withResolvers<void>();
  const { client, server } = await withServer(t, {
    async *download(_request, call) {
      call.signal.addEventListener("abort", () => left.resolve());
      for (let n = 0; ; n++) yield { value: String(n) };
    },
  });
  for await (const { value } of client.download({ value: "" })) if (value === "3") break;
  await left.promise;
  await until(() => server.streamCount === 0);
});

test("a request that cannot be encoded is INTERNAL with its cause, and the server hears no more of it", async (t) => {
  const { client, server } = await withServer(t);
  const error = await failure(client.unary(UNENCODABLE), StatusCode.INTERNAL);
  assert.match(error.message, /the request cannot be sent: .*unreadable field/);
  assert.match(String(error.cause), /unreadable field/);
  const { error: streamError } = await drained(client.download(UNENCODABLE));
  assert.match(String((streamError as Error).cause), /unreadable field/);
  await until(() => server.streamCount === 0);
  assert.equal((await client.unary({ value: "a" })).value, "a");
});

test("illegal options say what is allowed, by rejection where a promise is given", async (t) => {
  const { client } = await withServer(t);
  const none = (async function* () {})();
  await assert.rejects(client.unary({ value: "a" }, { timeoutMs: -1 }), /timeoutMs is -1 .* 0 or more/);
  await assert.rejects(client.upload(none, { timeoutMs: Number.NaN }), /timeoutMs is NaN/);
  await assert.rejects(
    client.upload({ value: "a" } as never),
    /upload was given an object \(Object\); it takes an iterable/,
  );
  assert.throws(() => client.download({ value: "a" }, { deadline: Number.NaN }), /deadline is NaN/);
  assert.throws(() => client.chat("text" as never), /chat was given the string "text"/);
  await assert.rejects(client.unary({ value: "a" }, { metadata: { "grpc-x": "a" } }), /reserved/);
  await assert.rejects(client.unary({ value: "a" }, { metadata: { a: "ä" } }), /"a"/);
});

test("a call made inside a handler inherits its deadline and its cancellation", async (t) => {
  const inner = await withPeer(t);
  const seen: { call?: ServerCall } = {};
  const { client } = await withServer(t, {
    async unary(request, call) {
      seen.call = call;
      return inner.client.unary(request);
    },
  });
  const controller = new AbortController();
  const call = client.unary({ value: "a" }, { signal: controller.signal, timeoutMs: 60_000 });
  call.catch(() => undefined);
  const connection = await inner.peer.accept();
  await connection.handshake();
  assert.match((await connection.sees(/^HEADERS 1/)).text, /grpc-timeout=(60000m|5\d{4}(\.\d+)?m|5\d{7}u)/);
  controller.abort();
  await failure(call, StatusCode.CANCELLED);
  await connection.sees(/^RST_STREAM 1 CANCEL/);
  await until(() => listenerCount(seen.call!.signal) === 0);
});

test("parent: null opts out, parent: call says it explicitly", async (t) => {
  const inner = await withPeer(t);
  const { client } = await withServer(t, {
    async unary(request, call) {
      inner.client.unary(request, { parent: null }).catch(() => undefined);
      return inner.client.unary(request, { parent: call });
    },
  });
  const call = client.unary({ value: "a" }, { timeoutMs: 60_000 });
  const connection = await inner.peer.accept();
  await connection.handshake();
  assert.doesNotMatch((await connection.sees(/^HEADERS 1/)).text, /grpc-timeout/);
  assert.match((await connection.sees(/^HEADERS 3/)).text, /grpc-timeout/);
  connection.answer(3, "done");
  assert.equal((await call).value, "done");
});

test("a parent that ran out of time ends its calls with DEADLINE_EXCEEDED", async (t) => {
  const inner = await withPeer(t);
  const ends: unknown[] = [];
  const unary: EchoHandlers["unary"] = async (request) => {
    try {
      return await inner.client.unary(request);
    } catch (error) {
      ends.push((error as { code: number }).code);
      throw error;
    }
  };
  // The server's own clock: a client that gives up at its deadline cancels, and might do so a moment earlier.
  const { client } = await withServer(t, { unary }, {}, { maxCallDurationMs: 500 });
  const call = client.unary({ value: "a" });
  call.catch(() => undefined);
  await (await inner.peer.accept()).handshake();
  await failure(call, StatusCode.DEADLINE_EXCEEDED);
  await until(() => ends.length === 1);
  assert.deepEqual(ends, [StatusCode.DEADLINE_EXCEEDED]);
});
