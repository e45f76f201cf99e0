/** Calls made inside handlers: they inherit what is left of the deadline, and the cancellation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Client,
  detached,
  type RpcError,
  type ServerCall,
  type ServerInterceptor,
  StatusCode,
} from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useFakeClock, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, failureOf, type LabHandlers, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { DEADLINE_EXCEEDED, CANCELLED } = StatusCode;

/** "inner" answers with what is left of its deadline; "wait" waits until it is cancelled. */
function nested(client: () => Client<typeof Lab>, log: string[] = []): Partial<LabHandlers> {
  return {
    unary(note, call) {
      const { text } = note;
      if (text === "inner") return { text: String(call.remainingMs) };
      if (text === "wait") {
        log.push("waiting");
        return new Promise((_, reject) =>
          call.signal.addEventListener("abort", () => {
            log.push("inner cancelled");
            reject(call.signal.reason);
          }),
        );
      }
      const inner = { text: text === "outer waits" || text === "opted out waits" ? "wait" : "inner" };
      if (text === "opted out") return client().unary(inner, { parent: null });
      if (text === "detached") return detached(() => client().unary(inner));
      if (text === "explicit") return detached(() => client().unary(inner, { parent: call }));
      return client().unary(inner);
    },
    async *download() {
      yield await client().unary({ text: "inner" });
      await new Promise((resolve) => setImmediate(resolve));
      yield await client().unary({ text: "inner" });
    },
  };
}

test("a call inside a handler inherits what is left of the deadline; null and detached opt out, a parent says it", async (t) => {
  const lab = await useServer(t, withHandlers(nested(() => client)), { over: "memory" });
  const client = lab.client(Lab);
  for (const [text, inherits] of [
    ["outer", true],
    ["explicit", true],
    ["opted out", false],
    ["detached", false],
  ] as const) {
    const left = Number((await client.unary({ text }, { timeoutMs: 60_000 })).text);
    if (inherits) assert.ok(left > 0 && left <= 60_000, `${text}: ${left}`);
    else assert.equal(left, Number.POSITIVE_INFINITY, text);
  }
  const unlimited = await client.unary({ text: "outer" });
  assert.equal(Number(unlimited.text), Number.POSITIVE_INFINITY);
});

test("every step of a generator runs inside its call", async (t) => {
  const lab = await useServer(t, withHandlers(nested(() => client)), { over: "tcp" });
  const client = lab.client(Lab);
  const [first, second] = await collect(client.download({}, { timeoutMs: 60_000 }));
  assert.ok(Number(first!.text) <= 60_000 && Number(second!.text) <= 60_000);
});

test("cancelling the outer call cancels the inner one; past the deadline both have passed theirs", async (t) => {
  const clock = useFakeClock(t);
  const log: string[] = [];
  const lab = await useServer(t, withHandlers(nested(() => client, log)), { over: "memory" });
  const client = lab.client(Lab);
  const controller = new AbortController();
  const failed = failureOf(client.unary({ text: "outer waits" }, { signal: controller.signal }), CANCELLED);
  await eventually("the inner handler to run", () => log.length === 1);
  controller.abort();
  await failed;
  await eventually("the inner call to hear of it", () => log.length === 2);
  const late = failureOf(client.unary({ text: "outer waits" }, { timeoutMs: 1_000 }), DEADLINE_EXCEEDED);
  await eventually("the second inner handler to run", () => log.length === 3);
  await clock.advance(1_000);
  await late;
  await eventually("the inner call to pass its deadline too", () => log.length === 4);
  await eventually("every handler to finish", () => lab.server.handlerCount === 0);
});

test("interceptors run inside the call too; an end listener's calls inherit nothing, since the call has ended", async (t) => {
  const seen: [string, number][] = [];
  const ask = async (where: string): Promise<void> => {
    const { text } = await client.unary({ text: "inner" });
    seen.push([where, Number(text)]);
  };
  const interceptor: ServerInterceptor = ({ name }) =>
    name === "Upload"
      ? {
          async onCall(call) {
            call.onEnd(() => void ask("onEnd"));
            await ask("onCall");
          },
        }
      : undefined;
  const lab = await useServer(t, withHandlers(nested(() => client)), {
    over: "memory",
    server: { interceptors: [interceptor] },
  });
  const client = lab.client(Lab);
  await Promise.all([client.upload([{}], { timeoutMs: 50_000 }), client.unary({ text: "outer" })]);
  await eventually("both to be asked", () => seen.length === 2);
  const { onCall, onEnd } = Object.fromEntries(seen);
  assert.ok(onCall! > 0 && onCall! <= 50_000, `onCall: ${onCall}`);
  assert.equal(onEnd, Number.POSITIVE_INFINITY);
});

test("a generator that is cancelled cleans up inside its own call", async (t) => {
  const outcomes: unknown[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      ...nested(() => client),
      async *download() {
        try {
          for (;;) {
            yield {};
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          outcomes.push(await client.unary({ text: "inner" }).catch((error: RpcError) => error.code));
          outcomes.push((await client.unary({ text: "inner" }, { parent: null })).text);
        }
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  for await (const _ of client.download({})) break;
  await eventually("the way out to be over", () => lab.server.handlerCount === 0 && outcomes.length === 2);
  assert.deepEqual(outcomes, [CANCELLED, "Infinity"]);
});

test("whoever ends a call from outside, its generator and its listeners still run inside it", async (t) => {
  const outcomes: unknown[] = [];
  const ask = async (): Promise<void> => {
    outcomes.push(await client.unary({ text: "inner" }).catch((error: RpcError) => error.code));
  };
  const lab = await useServer(
    t,
    withHandlers({
      ...nested(() => client),
      async *download(_note, call) {
        call.onEnd(ask);
        call.signal.addEventListener("abort", () => void ask());
        try {
          // It waits in the yield, for a reader that does not read.
          for (;;) yield { body: new Uint8Array(100_000) };
        } finally {
          await ask();
        }
      },
    }),
  );
  const client = lab.client(Lab);
  const peer = await RawPeer.ready(lab, 1);
  peer.send(request(1, "Download"), frames.data(1, prefixed(Buffer.alloc(0))).endStream());
  await peer.line(/^DATA 1/);
  peer.send(frames.rstStream(1, 8));
  await eventually("all three to have asked", () => outcomes.length === 3);
  assert.deepEqual(outcomes, [CANCELLED, CANCELLED, CANCELLED]);
});

test("work that a handler leaves behind inherits nothing once its call is over: an interval's calls go on", async (t) => {
  const inner: string[] = [];
  const left = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      unary({ text }, call) {
        if (text === "inner") return { text: String(call.remainingMs) };
        // Begun inside the call, goes on after it: what a cache does that refreshes itself.
        void left.promise.then(async () => inner.push((await client.unary({ text: "inner" })).text));
        return {};
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  await client.unary({ text: "outer" }, { timeoutMs: 60_000 });
  left.resolve();
  await eventually("the call that was left behind", () => inner.length === 1);
  assert.deepEqual(inner, ["Infinity"]);
});

test("a handler that runs on after its call was cancelled still works for it: its calls are cancelled at once", async (t) => {
  let outcome: RpcError | undefined;
  const cancelled = Promise.withResolvers<void>();
  const lab = await useServer(
    t,
    withHandlers({
      async unary({ text }, call) {
        if (text === "inner") return {};
        call.signal.addEventListener("abort", () => cancelled.resolve());
        await cancelled.promise;
        outcome = await failureOf(client.unary({ text: "inner" }), CANCELLED);
        return {};
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  const controller = new AbortController();
  const failed = failureOf(client.unary({ text: "outer" }, { signal: controller.signal }), CANCELLED);
  await eventually("the handler to run", () => lab.server.handlerCount === 1);
  controller.abort();
  await failed;
  await eventually("the handler to have made its call", () => outcome !== undefined);
  assert.match(outcome!.message, /the call it was made for has ended/);
});

test("a parent that is named holds after its end too", async (t) => {
  let parent: ServerCall | undefined;
  const lab = await useServer(
    t,
    withHandlers({
      unary(_, call) {
        parent ??= call;
        return {};
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  await client.unary({}, { timeoutMs: 60_000 });
  const { text } = await client.unary({ text: "inner" }, { parent: parent! });
  assert.equal(text, "");
});
