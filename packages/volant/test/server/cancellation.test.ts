/** Calls that end before their handler does: by the client, by a lost connection, by the server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata as GrpcJsMetadata } from "@grpc/grpc-js";
import { type CallEnd, RpcError, type ServerCall, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, type Lab as LabServer, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { grpcJsClient } from "./support/grpc-js.ts";
import { collect, failureOf, type LabHandlers, withHandlers } from "./support/lab-service.ts";
import { prefixed, RawPeer, call as request } from "./support/raw-peer.ts";

const { CANCELLED, RESOURCE_EXHAUSTED } = StatusCode;

/** Handlers that begin, say so, and wait until they are cancelled; what becomes of them is written down. */
class Watched {
  readonly log: string[] = [];
  readonly ends: CallEnd[] = [];
  running = 0;

  private begin(call: ServerCall): void {
    this.running++;
    call.onEnd((end) => this.ends.push(end));
    call.signal.addEventListener("abort", () => this.log.push(`${call.method.name} signal`));
  }

  readonly handlers: LabHandlers = {
    unary: (_note, call) => {
      this.begin(call);
      return new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason)));
    },
    download: (_note, call) => this.endless(call),
    upload: async (requests, call) => {
      this.begin(call);
      return this.readAll(requests, call);
    },
    chat: (requests, call) => {
      void this.readAll(requests, call).catch(() => undefined);
      return this.endless(call);
    },
  };

  private async *endless(call: ServerCall): AsyncGenerator<{ text: string }> {
    this.begin(call);
    try {
      for (let at = 0; ; at++) {
        yield { text: String(at) };
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.log.push(`${call.method.name} finally`);
    }
  }

  private async readAll(requests: AsyncIterable<unknown>, call: ServerCall): Promise<object> {
    try {
      for await (const _ of requests);
      this.log.push(`${call.method.name} requests ended`);
      return {};
    } catch (error) {
      assert.ok(error instanceof RpcError);
      this.log.push(`${call.method.name} requests threw ${error.codeName}`);
      throw error;
    }
  }
}

const HEARD = {
  Unary: ["Unary signal"],
  Download: ["Download finally", "Download signal"],
  Upload: ["Upload requests threw CANCELLED", "Upload signal"],
  Chat: ["Chat finally", "Chat requests threw CANCELLED", "Chat signal"],
} as const;

async function heard(watched: Watched, kind: keyof typeof HEARD, cancelledBy: CallEnd["cancelledBy"]): Promise<void> {
  await eventually(`${kind} to hear of it`, () => watched.log.length >= HEARD[kind].length);
  assert.deepEqual([...watched.log].sort(), HEARD[kind]);
  await eventually("the end to be told", () => watched.ends.length === 1);
  assert.deepEqual([watched.ends[0]!.status.code, watched.ends[0]!.cancelledBy], [CANCELLED, cancelledBy]);
}

/** Starts a call of this kind with our client; the result cancels it. */
function begin(lab: LabServer, kind: keyof typeof HEARD): () => Promise<unknown> {
  const client = lab.client(Lab);
  const controller = new AbortController();
  const { signal } = controller;
  const outcome = {
    Unary: () => client.unary({}, { signal }),
    Download: () => collect(client.download({}, { signal })),
    Upload: () => client.upload(undefined, { signal }),
    Chat: () => collect(client.chat(undefined, { signal })),
  }[kind]();
  const failed = failureOf(outcome, CANCELLED);
  return () => {
    controller.abort();
    return failed;
  };
}

for (const over of ["memory", "tcp"] as const) {
  for (const kind of Object.keys(HEARD) as (keyof typeof HEARD)[]) {
    test(`${kind} over ${over}: the client cancels, everything that works for it hears of it`, async (t) => {
      const watched = new Watched();
      const lab = await useServer(t, withHandlers(watched.handlers), { over });
      const cancel = begin(lab, kind);
      await eventually("the handler to run", () => watched.running === 1);
      await cancel();
      await heard(watched, kind, "peer");
    });
  }
}

for (const kind of Object.keys(HEARD) as (keyof typeof HEARD)[]) {
  test(`gRPC detail 28: ${kind}: the client vanishes, everything that works for it hears of it`, async (t) => {
    const watched = new Watched();
    const lab = await useServer(t, withHandlers(watched.handlers));
    const peer = await RawPeer.ready(lab);
    const hasRequestStream = kind === "Upload" || kind === "Chat";
    const message = frames.data(1, prefixed(Buffer.alloc(0)));
    peer.send(request(1, kind), hasRequestStream ? message : message.endStream());
    await eventually("the handler to run", () => watched.running === 1);
    peer.socket.resetAndDestroy();
    await heard(watched, kind, "connection");
  });
}

test("grpc-js cancels a download and a chat in the middle", async (t) => {
  const watched = new Watched();
  const lab = await useServer(t, withHandlers(watched.handlers));
  const client = grpcJsClient(lab);
  for (const call of [client.download({}), client.chat(new GrpcJsMetadata())]) {
    await new Promise((resolve) => call.once("data", resolve));
    const failed = collect(call).catch(({ code }) => code);
    call.cancel();
    assert.equal(await failed, CANCELLED);
  }
  const cleaned = (): string[] => watched.log.filter((line) => line.endsWith("finally")).sort();
  await eventually("both to end and clean up", () => watched.ends.length === 2 && cleaned().length === 2);
  assert.deepEqual(cleaned(), ["Chat finally", "Download finally"]);
});

test("a reader that leaves its loop ends the handler's generator", async (t) => {
  const watched = new Watched();
  const lab = await useServer(t, withHandlers(watched.handlers), { over: "memory" });
  for await (const note of lab.client(Lab).download({})) if (note.text === "3") break;
  await heard(watched, "Download", "peer");
});

test("a handler may end before its request is complete; the client is told to stop and sees the answer", async (t) => {
  const log: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      async upload(requests) {
        for await (const { text } of requests) if (text === "2") break;
        return { text: "enough" };
      },
      async *chat(requests) {
        const reading = requests[Symbol.asyncIterator]();
        yield (await reading.next()).value;
        void reading.next().catch((error) => log.push(error.codeName));
      },
    }),
  );
  const client = lab.client(Lab);
  async function* endless(): AsyncGenerator<{ text: string }> {
    try {
      for (let at = 0; ; at++) {
        yield { text: String(at) };
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      log.push("client finally");
    }
  }
  assert.equal((await client.upload(endless())).text, "enough");
  await eventually("the client's generator to be told", () => log.length === 1);
  assert.equal((await collect(client.chat(endless()))).length, 1);
  await eventually("both generators to be told, and the reader that was left", () => log.length === 3);
  assert.deepEqual(log.sort(), ["CANCELLED", "client finally", "client finally"]);
});

test("gRPC detail 27: RFC 9113 §8.1 an answer before the request is complete is followed by a reset without an error", async (t) => {
  const lab = await useServer(t, withHandlers({ upload: () => ({ text: "enough" }) }));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Upload"));
  const [, , trailers] = await peer.answer(1);
  assert.match(trailers!, /^HEADERS 1 end grpc-status=0/);
  await peer.line(/^RST_STREAM 1 NO_ERROR/);
  assert.equal(lab.server.streamCount, 0);
});

test("a request that ends only by the call's end never looks complete to whoever still reads it", async (t) => {
  let outcome = "";
  const lab = await useServer(
    t,
    withHandlers({
      upload(requests) {
        void (async () => {
          for await (const _ of requests);
          outcome = "complete";
        })().catch((error) => {
          outcome = error.codeName;
        });
        throw new RpcError(RESOURCE_EXHAUSTED, "no");
      },
    }),
    { over: "memory" },
  );
  const upload = lab.client(Lab).upload();
  await failureOf(upload, RESOURCE_EXHAUSTED);
  await eventually("the reader to hear", () => outcome !== "");
  assert.equal(outcome, "RESOURCE_EXHAUSTED");
});

test("half-close ends the request and not the call", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async *chat(requests) {
        let count = 0;
        for await (const _ of requests) count++;
        for (let at = 0; at < 3; at++) yield { number: count };
      },
    }),
  );
  const chat = lab.client(Lab).chat();
  await chat.send({});
  await chat.send({});
  chat.end();
  assert.deepEqual(
    (await collect(chat)).map(({ number }) => number),
    [2, 2, 2],
  );
});

test("a generator's failure on its way out is reported once; the abort that caused it is no news", async (t) => {
  let running = 0;
  const lab = await useServer(
    t,
    withHandlers({
      async *download({ text }, call) {
        running++;
        try {
          for (;;) {
            yield {};
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          if (text === "fail") {
            // biome-ignore lint/correctness/noUnsafeFinally: a failure on the way out is the point
            throw new Error("on the way out");
          } else call.signal.throwIfAborted();
        }
      },
    }),
    { over: "memory" },
  );
  const client = lab.client(Lab);
  for (const text of ["fail", "abort"]) {
    const before = running;
    for await (const _ of client.download({ text })) break;
    await eventually("the handler to have run and finished", () => running > before && lab.server.handlerCount === 0);
  }
  assert.deepEqual(lab.takeErrors().map(String), ["Error: on the way out"]);
});

test("a stream that the peer breaks ends its call, and no other", async (t) => {
  const watched = new Watched();
  const lab = await useServer(t, withHandlers(watched.handlers));
  const peer = await RawPeer.ready(lab);
  peer.send(request(1, "Upload"), request(3, "Upload"));
  await eventually("both to run", () => watched.running === 2);
  peer.send(frames.rstStream(1, 8));
  await eventually("the end of one", () => watched.ends.length === 1);
  assert.equal(lab.server.streamCount, 1);
  peer.send(frames.data(3, "").endStream());
  assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
});

test("call.cancel ends a call from outside its handler, with the error's own status and a generator told to return", async (t) => {
  const log: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      async *download(_note, call) {
        call.onEnd(({ status, cancelledBy }) => log.push(`ended ${status.code} by ${cancelledBy}`));
        try {
          yield { text: "first" };
          setImmediate(() => call.cancel(new RpcError(RESOURCE_EXHAUSTED, "enough of this")));
          await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
          yield { text: "never sent" };
        } finally {
          log.push("finally");
        }
      },
    }),
  );
  const texts: string[] = [];
  const error = await failureOf(
    (async () => {
      for await (const { text } of lab.client(Lab).download({})) texts.push(text);
    })(),
    RESOURCE_EXHAUSTED,
  );
  assert.deepEqual([error.message, texts], ["enough of this", ["first"]]);
  await eventually("the generator to have returned", () => log.length === 2);
  assert.deepEqual(log.sort(), ["ended 8 by server", "finally"]);
});

test("call.cancel reaches a client that takes no data: the stream is reset, RESOURCE_EXHAUSTED as ENHANCE_YOUR_CALM", async (t) => {
  let cancel = (): void => assert.fail("the handler did not start");
  const lab = await useServer(
    t,
    withHandlers({
      async *download(_note, call) {
        cancel = () => call.cancel(new RpcError(RESOURCE_EXHAUSTED, "too slow"));
        for (;;) yield { body: new Uint8Array(100_000) };
      },
    }),
  );
  const peer = await RawPeer.ready(lab, 1);
  peer.send(request(1, "Download"), frames.data(1, prefixed(Buffer.alloc(0))).endStream());
  await peer.line(/^DATA 1/);
  cancel();
  await peer.line(/^RST_STREAM 1 ENHANCE_YOUR_CALM/);
  cancel();
  assert.equal(lab.server.streamCount, 0);
});

test("CVE-2023-44487 a peer that opens and resets calls runs no more handlers than it may have streams", async (t) => {
  const gate = Promise.withResolvers<object>();
  let started = 0;
  const lab = await useServer(
    t,
    withHandlers({
      unary: () => {
        started++;
        return gate.promise;
      },
    }),
    { server: { http2: { maxConcurrentStreams: 10 } } },
  );
  const peer = await RawPeer.ready(lab);
  for (let id = 1; id < 80; id += 2) {
    peer.send(request(id, "Unary"), frames.data(id, prefixed(Buffer.alloc(0))).endStream(), frames.rstStream(id, 8));
  }
  await peer.line(/^RST_STREAM 79 REFUSED_STREAM/);
  assert.deepEqual([started, lab.server.handlerCount], [10, 10]);
  gate.resolve({});
  await eventually("the handlers to have settled", () => lab.server.handlerCount === 0);
  peer.send(request(81, "Unary"), frames.data(81, prefixed(Buffer.alloc(0))).endStream());
  await peer.answer(81);
  assert.equal(started, 11);
});
