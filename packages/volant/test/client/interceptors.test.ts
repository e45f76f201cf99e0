/** Client interceptors: order, what they may change, how they refuse, and that every call ends for them once. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type ChannelOptions,
  type ClientCallEnd,
  type ClientInterceptor,
  createCallValueKey,
  createClient,
  RpcError,
  StatusCode,
} from "volant";
import { type EchoHandlers, EchoService, UNENCODABLE } from "./support/echo-service.ts";
import { allOf, drained, failure, until, withPeer, withServer } from "./support/harness.ts";

function intercepted(
  t: TestContext,
  interceptors: ClientInterceptor[],
  handlers: Partial<EchoHandlers> = {},
  more: ChannelOptions = {},
) {
  return withServer(t, handlers, { interceptors, ...more });
}

test("the first in the list is the outermost, those of the channel stand outside those of the client", async (t) => {
  const log: string[] = [];
  const tracer =
    (name: string): ClientInterceptor =>
    () => ({
      onCall: (call) => {
        log.push(`${name} call`);
        call.onEnd(() => log.push(`${name} end`));
      },
      onRequest: () => log.push(`${name} request`),
      onResponse: () => log.push(`${name} response`),
    });
  const { channel } = await intercepted(t, [tracer("a"), tracer("b")]);
  const client = createClient(EchoService, channel, { interceptors: [tracer("c")] });
  await client.unary({ value: "x" });
  const order = "a call,b call,c call,a request,b request,c request,c response,b response,a response,c end,b end,a end";
  assert.equal(log.join(), order);
});

test("an interceptor is bound once per method, and one that returns nothing is not asked again", async (t) => {
  const bound: string[] = [];
  const { client } = await intercepted(t, [(method) => void bound.push(method.path)]);
  await client.unary({ value: "a" });
  await client.unary({ value: "a" });
  assert.deepEqual(bound, ["/test.Echo/Unary", "/test.Echo/Download", "/test.Echo/Upload", "/test.Echo/Chat"]);
});

test("onCall adds metadata to what the caller gave, and the caller's own object does not change", async (t) => {
  const { client } = await intercepted(
    t,
    [() => ({ onCall: (call) => void call.metadata.set("authorization", "Bearer t") })],
    { unary: (_request, call) => ({ value: `${call.metadata.get("authorization")} ${call.metadata.get("x-own")}` }) },
  );
  const { Metadata } = await import("volant");
  const metadata = Metadata.from({ "x-own": "1" });
  assert.equal((await client.unary({ value: "" }, { metadata })).value, "Bearer t 1");
  assert.equal(metadata.has("authorization"), false);
});

test("limitTimeout moves the deadline earlier, never later, and only in onCall", async (t) => {
  const left: number[] = [];
  const late: unknown[] = [];
  const { peer, client } = await withPeer(t, {
    interceptors: [
      () => ({
        onCall(call) {
          call.limitTimeout(1_000);
          call.limitTimeout(50_000);
          left.push(call.remainingMs);
          assert.throws(() => call.limitTimeout(-1), /0 or more/);
        },
        onRequest(_message, call) {
          try {
            call.limitTimeout(1);
          } catch (error) {
            late.push(error);
          }
        },
      }),
    ],
  });
  const call = client.unary({ value: "" });
  const connection = await peer.accept();
  await connection.handshake();
  assert.match((await connection.sees(/^HEADERS 1/)).text, /grpc-timeout=(1000m|\d{1,3}m|\d{1,6}u)/);
  connection.answer(1, "a");
  await call;
  assert.ok(left[0]! <= 1_000);
  assert.match(String(late[0]), /works in onCall only/);
});

test("an onCall that takes its time holds the call back; those after it wait too", async (t) => {
  const gate = Promise.withResolvers<string>();
  const log: string[] = [];
  const { client, server } = await intercepted(
    t,
    [
      () => ({
        async onCall(call) {
          log.push("token");
          call.metadata.set("authorization", await gate.promise);
        },
      }),
      () => ({ onCall: (call) => void log.push(String(call.metadata.get("authorization"))) }),
    ],
    { unary: (_request, call) => ({ value: call.metadata.get("authorization") ?? "" }) },
  );
  const call = client.unary({ value: "" }, { timeoutMs: 60_000 });
  const cancelled = new AbortController();
  const given = client.unary({ value: "" }, { signal: cancelled.signal });
  const late = client.unary({ value: "" }, { timeoutMs: 5 });
  late.catch(() => undefined);
  cancelled.abort();
  await failure(given, StatusCode.CANCELLED);
  await failure(late, StatusCode.DEADLINE_EXCEEDED);
  assert.equal(server.connectionCount, 0);
  gate.resolve("t1");
  assert.equal((await call).value, "t1");
  assert.deepEqual(log.slice(0, 4), ["token", "token", "token", "t1"]);
});

test("each hook refuses by throwing: an RpcError is the status, anything else INTERNAL with its cause", async (t) => {
  const bug = new Error("bug");
  const denied = new RpcError(StatusCode.UNAUTHENTICATED, "no token");
  for (const hook of ["onCall", "onRequest", "onResponse"] as const) {
    for (const thrown of [denied, bug]) {
      const ends: ClientCallEnd[] = [];
      const { client, server } = await intercepted(t, [
        () => ({ onCall: (call) => call.onEnd((end) => ends.push(end)) }),
        () => ({
          [hook]: () => {
            throw thrown;
          },
        }),
      ]);
      const code = thrown === denied ? StatusCode.UNAUTHENTICATED : StatusCode.INTERNAL;
      for (const call of [
        () => client.unary({ value: "a" }),
        () => client.upload([{ value: "a" }]),
        () => allOf(client.download({ value: "1" })),
      ]) {
        const error = await failure(call(), code);
        if (thrown === bug) assert.equal(error.cause, bug);
      }
      assert.equal(ends.length, 3, hook);
      assert.ok(ends.every((end) => end.status.code === code));
      await until(() => server.streamCount === 0);
    }
  }
  const { client } = await intercepted(t, [() => ({ onCall: () => Promise.reject(denied) })]);
  await failure(client.unary({ value: "a" }), StatusCode.UNAUTHENTICATED);
});

test("onEnd tells status, counts and time once, however the call ends", async (t) => {
  const ends: ClientCallEnd[] = [];
  const { client } = await intercepted(t, [() => ({ onCall: (call) => call.onEnd((end) => ends.push(end)) })]);
  await client.unary({ value: "a" });
  await allOf(client.chat([{ value: "a" }, { value: "b" }]));
  await failure(client.unary({ value: "a" }, { signal: AbortSignal.abort() }), StatusCode.CANCELLED);
  await failure(client.unary(UNENCODABLE), StatusCode.INTERNAL);
  for await (const _ of client.download({ value: "100000" })) break;
  assert.deepEqual(
    ends.map(({ status, messagesSent, messagesReceived }) => [status.code, messagesSent, messagesReceived > 0]),
    [
      [StatusCode.OK, 1, true],
      [StatusCode.OK, 2, true],
      [StatusCode.CANCELLED, 0, false],
      [StatusCode.INTERNAL, 0, false],
      [StatusCode.CANCELLED, 1, true],
    ],
  );
  assert.ok(ends.every((end) => end.durationMs >= 0));
});

test("an end listener that throws is reported; the others hear the end, and the connection knows that the call is over", async (t) => {
  const errors: string[] = [];
  const log: string[] = [];
  const { client } = await intercepted(
    t,
    [
      () => ({ onCall: (call) => call.onEnd(() => log.push("outer")) }),
      () => ({
        onCall: (call) =>
          call.onEnd(() => {
            throw new Error("listener");
          }),
      }),
    ],
    {},
    { onError: (error, method) => errors.push(`${method?.path}: ${(error as Error).message}`) },
  );
  await client.unary({ value: "a" });
  assert.deepEqual([errors, log], [["/test.Echo/Unary: listener"], ["outer"]]);
});

test("an onError that throws itself harms no call", async (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  const { client } = await withServer(
    t,
    {},
    {
      onError: () => {
        throw new Error("worse");
      },
    },
  );
  const onTrailers = (): never => {
    throw new Error("bad");
  };
  assert.equal((await client.unary({ value: "a" }, { onTrailers })).value, "a");
  assert.match(written.join(""), /onError itself failed: Error: worse/);
});

test("call values pass from one interceptor to the next, and are each call's own", async (t) => {
  const key = createCallValueKey("attempts", 0);
  const seen: number[] = [];
  const { client } = await intercepted(t, [
    () => ({ onCall: (call) => void call.values.set(key, call.values.get(key) + 1) }),
    () => ({ onCall: (call) => void seen.push(call.values.get(key)) }),
  ]);
  await client.unary({ value: "a" });
  await drained(client.download({ value: "1" }));
  assert.deepEqual(seen, [1, 1]);
});

for (const name of ["onRequest", "onResponse"] as const) {
  test(`an asynchronous ${name} refuses the message, on the client as on the server, and leaves no rejection behind`, async (t) => {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    t.after(() => process.off("unhandledRejection", onRejection));
    const served: string[] = [];
    const refuses: ClientInterceptor = () => ({
      [name]: async () => {
        throw new Error("refused too late");
      },
    });
    const { client } = await intercepted(t, [refuses], {
      unary: ({ value }) => {
        served.push(value);
        return { value };
      },
    });
    const error = await failure(client.unary({ value: "secret" }), StatusCode.INTERNAL);
    assert.match(error.message, new RegExp(`${name} of an interceptor of /test.Echo/Unary returned a promise`));
    assert.deepEqual(served, name === "onRequest" ? [] : ["secret"]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(rejections, []);
  });
}
