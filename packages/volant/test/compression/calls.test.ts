/** Compressed calls between our client and our server: what goes compressed, and that order and ends hold. gRPC compression.md. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { compressionThreads } from "../../src/compression/threads.ts";
import { type CompressionName, type CompressionOptions, StatusCode } from "../../src/index.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { collect, echo, failureOf, withHandlers } from "../server/support/lab-service.ts";

const WORDS = "the same words again and again, ";
const small = "x";
const medium = WORDS.repeat(300);
/** Off the loop by default. */
const large = WORDS.repeat(8_000);

const ENCODINGS = (["gzip", "deflate", "zstd"] as const).filter(
  (name) => name !== "zstd" || "zstdCompress" in process.getBuiltinModule("node:zlib"),
);

function both(send: CompressionName, more: CompressionOptions = {}) {
  return { server: { compression: { send, ...more } }, channel: { compression: { send, ...more } } };
}

for (const send of ENCODINGS) {
  test(`gRPC detail 14: ${send}, the four kinds with messages of every size, both ways`, async (t) => {
    const lab = await useServer(t, withHandlers({}), both(send));
    const client = lab.client(Lab);
    const texts = [small, large, medium, small, large, "", medium];
    for (const text of texts) assert.equal((await client.unary({ text })).text, `echo ${text}`);
    assert.equal((await client.upload(texts.map((text) => ({ text })))).text, texts.join(","));
    const answers = await collect(client.chat(texts.map((text, number) => ({ text, number }))));
    assert.deepEqual(
      answers.map(({ text, number }) => [text, number]),
      texts.map((text, number) => [`echo ${text}`, number]),
    );
    for (const text of [small, medium, large]) {
      const notes = await collect(client.download({ text, number: 3 }));
      assert.deepEqual(
        notes.map((note) => note.text),
        [0, 1, 2].map((at) => `${text} ${at}`),
      );
    }
    assert.deepEqual([compressionThreads.runningCount, compressionThreads.waitingCount], [0, 0]);
  });
}

test("a burst of large unary calls and streams: every answer is its own, and every stream in order", async (t) => {
  const lab = await useServer(t, withHandlers({}), both("gzip"));
  const client = lab.client(Lab);
  const calls = Array.from({ length: 12 }, async (_, at) => {
    const text = `${at} ${large}`;
    assert.equal((await client.unary({ text })).text, `echo ${text}`);
    const answers = await collect(client.chat([{ text }, { text: small }, { text }]));
    assert.deepEqual(
      answers.map((note) => note.text),
      [`echo ${text}`, `echo ${small}`, `echo ${text}`],
    );
  });
  await Promise.all(calls);
  assert.deepEqual([compressionThreads.runningCount, compressionThreads.waitingCount], [0, 0]);
});

test("a status, trailers and a half-close keep their place behind a message that is compressed off the loop", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_request, call) => {
        call.trailers.set("x-after", "yes");
        return { text: large };
      },
      async *download() {
        yield { text: large };
        throw new Error("after the message");
      },
    }),
    both("gzip"),
  );
  const client = lab.client(Lab);
  const trailers: (string | undefined)[] = [];
  const note = await client.unary({}, { onTrailers: (metadata) => trailers.push(metadata.get("x-after")) });
  assert.equal(note.text, large);
  assert.deepEqual(trailers, ["yes"]);
  const got: string[] = [];
  const download = (async () => {
    for await (const { text } of client.download({})) got.push(text);
  })();
  await failureOf(download, StatusCode.INTERNAL);
  assert.deepEqual(got, [large]);
  assert.equal(lab.takeErrors().length, 1);
  const upload = client.upload();
  const sent = upload.send({ text: large });
  upload.end();
  await sent;
  assert.equal((await upload).text, large);
});

test("a call that is cancelled while its messages are compressed or inflated drops them, on both sides", async (t) => {
  let ends = 0;
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_request, call) => {
        call.onEnd(() => ends++);
        return { text: large };
      },
      async *download(_request, call) {
        call.onEnd(() => ends++);
        while (true) yield { text: large };
      },
    }),
    both("gzip"),
  );
  const client = lab.client(Lab);
  await client.unary({ text: small });
  for (let round = 0; round < 6; round++) {
    const controller = new AbortController();
    const unary = client.unary({ text: large }, { signal: controller.signal });
    const download = collect(client.download({ text: large }, { signal: controller.signal }));
    if (round > 0) await eventually("work on a thread", () => compressionThreads.runningCount > 0);
    if (round > 3) await eventually("a handler to have begun", () => ends > 0 || lab.server.handlerCount > 0);
    controller.abort();
    await failureOf(unary, StatusCode.CANCELLED).catch(() => undefined);
    await failureOf(download, StatusCode.CANCELLED);
  }
  assert.equal((await client.unary({ text: small })).text, large, "the connection goes on");
  await eventually("all work to end", () => compressionThreads.runningCount + compressionThreads.waitingCount === 0);
});

test("a deadline does not wait for a thread", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      async *download() {
        while (true) yield { text: large };
      },
    }),
    both("gzip"),
  );
  const client = lab.client(Lab);
  await failureOf(collect(client.download({}, { timeoutMs: 30 })), StatusCode.DEADLINE_EXCEEDED);
});

test("interceptors see inflated messages on both sides", async (t) => {
  const seen: string[] = [];
  const look = (where: string) => (message: unknown) => {
    seen.push(`${where} ${(message as { text: string }).text.length}`);
  };
  const lab = await useServer(t, withHandlers({ unary: ({ text }) => ({ text }) }), {
    server: {
      compression: { send: "gzip" },
      interceptors: [() => ({ onRequest: look("server in"), onResponse: look("server out") })],
    },
    channel: {
      compression: { send: "gzip" },
      interceptors: [() => ({ onRequest: look("client out"), onResponse: look("client in") })],
    },
  });
  await lab.client(Lab).unary({ text: large });
  const { length } = large;
  assert.deepEqual(seen, [
    `client out ${length}`,
    `server in ${length}`,
    `server out ${length}`,
    `client in ${length}`,
  ]);
});

test("gRPC detail 16: the size limit holds for what is inflated, on both sides, on the loop and off it", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: ({ number }) => ({ text: WORDS.repeat(number) }) }), {
    server: { compression: { send: "gzip" }, maxReceiveMessageBytes: 100_000 },
  });
  for (const offLoopBytes of [0, 32_768, Number.POSITIVE_INFINITY]) {
    const compression = { send: "gzip", offLoopBytes } as const;
    const client = lab.client(Lab, { compression, maxReceiveMessageBytes: 50_000 });
    const limit = Math.floor(50_000 / WORDS.length) - 1;
    assert.equal((await client.unary({ number: limit })).text.length, limit * WORDS.length);
    assert.equal((await client.unary({ text: "x".repeat(99_000), number: 1 })).text, WORDS);
    const request = await failureOf(client.unary({ text: "x".repeat(101_000) }), StatusCode.RESOURCE_EXHAUSTED);
    assert.match(request.message, /inflates to more than the 100000 bytes/);
    const response = await failureOf(client.unary({ number: 3_000 }), StatusCode.RESOURCE_EXHAUSTED);
    assert.match(response.message, /inflates to more than the 50000 bytes/);
    const incompressible = await failureOf(client.unary({ body: randomBytes(100_001) }), StatusCode.RESOURCE_EXHAUSTED);
    assert.match(incompressible.message, /is larger than the 100000 bytes/);
  }
});

test("a call made by a handler's reader keeps its own context although another call's work made room for it", async (t) => {
  const paths: string[] = [];
  const lab = await useServer(
    t,
    withHandlers({
      unary: ({ text }, call) => {
        paths.push(`${text.slice(0, 2)} ${call.remainingMs === Number.POSITIVE_INFINITY}`);
        return {};
      },
      async upload(requests) {
        const inner = lab.client(Lab);
        for await (const { text } of requests) await inner.unary({ text: `in ${text}` });
        return {};
      },
    }),
    both("gzip"),
  );
  const client = lab.client(Lab);
  const texts = [{ text: large }, { text: large }];
  await Promise.all([client.upload(texts, { timeoutMs: 60_000 }), client.unary({ text: `un ${large}` })]);
  assert.deepEqual(paths.sort(), ["in false", "in false", "un true"]);
});

test("a reader that comes late gets everything that a finished call sent, then its status", async (t) => {
  const lab = await useServer(t, withHandlers({}), both("gzip", { minBytes: 0 }));
  const client = lab.client(Lab);
  let ended = false;
  const download = client.download(
    { text: medium, number: 50 },
    { timeoutMs: 60_000, onTrailers: () => (ended = true) },
  );
  const reader = download[Symbol.asyncIterator]();
  const first = await reader.next();
  assert.equal(first.value?.text, `${medium} 0`);
  await client.unary({ text: small });
  assert.equal(ended, false, "the status comes behind the messages");
  let count = 1;
  while (!(await reader.next()).done) count++;
  assert.equal(count, 50);
  assert.equal(ended, true);
});

test("compressible or not, echo is what was sent when nobody compresses", async (t) => {
  const lab = await useServer(t, withHandlers(echo), both("identity", { accept: [] }));
  assert.equal((await lab.client(Lab).unary({ text: large })).text, `echo ${large}`);
});
