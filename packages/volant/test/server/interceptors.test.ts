/** Interceptors around real calls: what they refuse, what they see, and that they hear of every end once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CallEnd,
  createCallValueKey,
  RpcError,
  type ServerHooks,
  type ServerInterceptor,
  StatusCode,
} from "../../src/index.ts";
import { processBudget } from "../../src/stream/buffer-budget.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, failureOf, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { UNAUTHENTICATED, INVALID_ARGUMENT, INTERNAL, CANCELLED, OK } = StatusCode;
const EMPTY = prefixed(Buffer.alloc(0));

const always =
  (hooks: ServerHooks): ServerInterceptor =>
  () =>
    hooks;

function refusing(): RpcError {
  return new RpcError(UNAUTHENTICATED, "No authorization token provided");
}

for (const [how, onCall] of Object.entries({
  throws: () => {
    throw refusing();
  },
  rejects: () => Promise.reject(refusing()),
})) {
  test(`an onCall that ${how} refuses the call before the handler or any other hook runs`, async (t) => {
    const log: string[] = [];
    const inner: ServerHooks = { onCall: () => void log.push("inner"), onRequest: () => void log.push("onRequest") };
    const lab = await useServer(
      t,
      withHandlers({
        unary: (note) => {
          log.push("handler");
          return note;
        },
      }),
      { server: { interceptors: [always({ onCall }), always(inner)] } },
    );
    const client = lab.client(Lab);
    const error = await failureOf(client.unary({}), UNAUTHENTICATED);
    assert.equal(error.message, "No authorization token provided");
    await failureOf(collect(client.download({})), UNAUTHENTICATED);
    await failureOf(client.upload([{}]), UNAUTHENTICATED);
    await failureOf(collect(client.chat([{}])), UNAUTHENTICATED);
    assert.deepEqual(log, []);
  });
}

test("while onCall decides, no octet of the body is decoded, shown or granted; then all of it is", async (t) => {
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const hooks: ServerHooks = {
    async onCall() {
      await gate.promise;
      log.push("admitted");
    },
    onRequest: () => void log.push("onRequest"),
  };
  const lab = await useServer(t, withHandlers({}), { server: { interceptors: [always(hooks)] } });
  const peer = await RawPeer.ready(lab);
  const large = prefixed(Buffer.alloc(0), 0, 200_000);
  peer.send(request(1, "Unary"), frames.data(1, EMPTY).endStream());
  peer.send(request(3, "Upload"), frames.data(3, EMPTY), frames.data(3, EMPTY).endStream());
  peer.send(request(5, "Unary"), frames.data(5, Buffer.concat([large, Buffer.alloc(10_000)])));
  peer.send(frames.ping("received"));
  await peer.line(/^PING/);
  assert.equal(log.length, 0);
  const { promised } = processBudget;
  assert.deepEqual([processBudget.usedBytes, promised.usedBytes], [0, 0], "nothing is for a caller who may be refused");
  gate.resolve();
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
  assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
  await eventually("the large message to be granted", () => processBudget.promised.usedBytes === 190_000);
  assert.equal(log.filter((line) => line === "admitted").length, 3);
  assert.equal(log.indexOf("onRequest") > log.lastIndexOf("admitted"), true);
  peer.send(frames.rstStream(5, 8));
});

test("a call that is cancelled while onCall decides never reaches its handler, and its end is told", async (t) => {
  const gate = Promise.withResolvers<void>();
  const ends: CallEnd[] = [];
  let isDeciding = false;
  const hooks: ServerHooks = {
    async onCall(call) {
      isDeciding = true;
      await gate.promise;
      call.onEnd((end) => ends.push(end));
    },
  };
  let handled = 0;
  const lab = await useServer(
    t,
    withHandlers({
      unary: () => {
        handled++;
        return {};
      },
    }),
    { server: { interceptors: [always(hooks)] } },
  );
  const controller = new AbortController();
  const failed = failureOf(lab.client(Lab).unary({}, { signal: controller.signal }), CANCELLED);
  await eventually("onCall to run", () => isDeciding);
  controller.abort();
  await failed;
  await eventually("the call to be over", () => lab.server.streamCount === 0);
  gate.resolve();
  await eventually("the listener that came late to be told", () => ends.length === 1);
  assert.deepEqual([ends[0]!.status.code, ends[0]!.cancelledBy, handled], [CANCELLED, "peer", 0]);
});

test("onRequest and onResponse see every message and may refuse one", async (t) => {
  const seen: string[] = [];
  const hooks: ServerHooks = {
    onRequest(message) {
      const { text } = message as { text: string };
      seen.push(`in ${text}`);
      if (text === "bad") throw new RpcError(INVALID_ARGUMENT, "bad request");
    },
    onResponse(message) {
      const { text } = message as { text: string };
      seen.push(`out ${text}`);
      if (text?.includes("secret")) throw new Error("must not leave");
    },
  };
  const lab = await useServer(t, withHandlers({}), { server: { interceptors: [always(hooks)] } });
  const client = lab.client(Lab);
  await client.unary({ text: "a" });
  await failureOf(client.unary({ text: "bad" }), INVALID_ARGUMENT);
  await failureOf(client.unary({ text: "secret" }), INTERNAL);
  await failureOf(client.upload([{ text: "b" }, { text: "bad" }, { text: "c" }]), INVALID_ARGUMENT);
  await failureOf(collect(client.chat([{ text: "d" }, { text: "secret" }])), INTERNAL);
  await failureOf(collect(client.download({ text: "secret", number: 5 })), INTERNAL);
  assert.deepEqual(seen.slice(0, 5), ["in a", "out echo a", "in bad", "in secret", "out echo secret"]);
  assert.equal(seen.includes("in c"), false);
  assert.equal(lab.takeErrors().length, 3, "what was not an RpcError is reported");
});

test("around wraps the handler of every kind", async (t) => {
  const log: string[] = [];
  const hooks: ServerHooks = {
    around: (next) => (message, call) => {
      log.push(call.method.name);
      return next(message, call);
    },
  };
  const lab = await useServer(t, withHandlers({}), { over: "memory", server: { interceptors: [always(hooks)] } });
  const client = lab.client(Lab);
  await client.unary({});
  await collect(client.download({ number: 2 }));
  await client.upload([{}]);
  await collect(client.chat([{}]));
  assert.deepEqual(log, ["Unary", "Download", "Upload", "Chat"]);
});

test("values that an interceptor sets reach the handler", async (t) => {
  const user = createCallValueKey("user", "anonymous");
  const auth: ServerInterceptor = always({ onCall: (call) => void call.values.set(user, "alice") });
  const lab = await useServer(t, withHandlers({ unary: (_note, call) => ({ text: call.values.get(user) }) }), {
    over: "memory",
    server: { interceptors: [auth] },
  });
  assert.equal((await lab.client(Lab).unary({})).text, "alice");
});

test("onEnd is told once of every way to end, with status, counts and who ended it", async (t) => {
  const ends: [string, CallEnd][] = [];
  const audit: ServerInterceptor = always({
    onCall: (call) => call.onEnd((end) => ends.push([call.method.name, end])),
  });
  const lab = await useServer(
    t,
    withHandlers({
      unary({ text }) {
        if (text === "fail") throw new RpcError(INVALID_ARGUMENT, "no");
        return {};
      },
    }),
    { server: { interceptors: [audit] } },
  );
  const client = lab.client(Lab);
  await client.unary({});
  await failureOf(client.unary({ text: "fail" }), INVALID_ARGUMENT);
  await collect(client.download({ number: 3 }));
  await client.upload([{}, {}]);
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Chat"), frames.data(1, EMPTY), request(3, "Upload"));
  await peer.line(/^DATA 1/);
  peer.send(frames.rstStream(1, 8));
  await eventually("the reset to be told", () => ends.length === 5);
  peer.socket.resetAndDestroy();
  await eventually("the lost connection to be told", () => ends.length === 6);
  assert.deepEqual(
    ends.map(([name, end]) => [name, end.status.code, end.messagesReceived, end.messagesSent, end.cancelledBy]),
    [
      ["Unary", OK, 1, 1, undefined],
      ["Unary", INVALID_ARGUMENT, 1, 0, undefined],
      ["Download", OK, 1, 3, undefined],
      ["Upload", OK, 2, 1, undefined],
      ["Chat", CANCELLED, 1, 1, "peer"],
      ["Upload", CANCELLED, 0, 0, "connection"],
    ],
  );
  for (const [, { durationMs }] of ends) assert.ok(durationMs >= 0);
});

test("an end listener that fails is reported and keeps no other from hearing", async (t) => {
  let heard = 0;
  const hooks: ServerHooks = {
    onCall(call) {
      call.onEnd(() => heard++);
      call.onEnd(() => {
        throw new Error("thrown");
      });
      call.onEnd(() => Promise.reject(new Error("rejected")) as never);
    },
  };
  const lab = await useServer(t, withHandlers({}), { over: "memory", server: { interceptors: [always(hooks)] } });
  await lab.client(Lab).unary({});
  assert.equal(heard, 1);
  assert.deepEqual(lab.takeErrors().map(String).sort(), ["Error: rejected", "Error: thrown"]);
});

test("an interceptor that passes on a method costs it nothing, and unknown paths reach no interceptor", async (t) => {
  const seen: string[] = [];
  const selective: ServerInterceptor = ({ idempotency }) =>
    idempotency === "NO_SIDE_EFFECTS" ? undefined : { onCall: ({ method }) => void seen.push(method.name) };
  const lab = await useServer(t, withHandlers({}), { server: { interceptors: [selective] } });
  const client = lab.client(Lab);
  await client.unary({});
  await collect(client.download({}));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Nope").endStream());
  await peer.answer(1);
  assert.deepEqual(seen, ["Download"]);
});

test("twenty interceptors with every hook leave a call as it is", async (t) => {
  let hooks = 0;
  const every = always({
    onCall: async () => void hooks++,
    onRequest: () => void hooks++,
    onResponse: () => void hooks++,
    around: (next) => (message, call) => next(message, call),
  });
  const lab = await useServer(t, withHandlers({}), { over: "memory", server: { interceptors: Array(20).fill(every) } });
  assert.equal((await lab.client(Lab).unary({ text: "x" })).text, "echo x");
  assert.equal(hooks, 60);
});
