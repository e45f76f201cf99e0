/** Our client against a server of `@grpc/grpc-js`. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Metadata, StatusCode } from "volant";
import { BadRequestSchema } from "volant/errors";
import { useFakeClock } from "../../src/testing/index.ts";
import { startGrpcJsServer } from "./support/grpc-js-server.ts";
import { allOf, drained, failure, openChannel, until } from "./support/harness.ts";

async function grpcJs(t: TestContext) {
  const server = await startGrpcJsServer();
  t.after(() => server.close());
  return { server, ...openChannel(t, server.target) };
}

test("grpc-js: the four kinds", async (t) => {
  const { client } = await grpcJs(t);
  assert.equal((await client.unary({ value: "é" })).value, "é");
  assert.deepEqual((await drained(client.download({ value: "" }))).values, ["first", "second"]);
  assert.equal((await client.upload([{ value: "a" }, { value: "b" }])).value, "a,b");
  assert.deepEqual((await drained(client.chat([{ value: "a" }, { value: "b" }]))).values, ["re:a", "re:b"]);
  const chat = client.chat();
  const answers = chat[Symbol.asyncIterator]();
  for (const value of ["1", "2"]) {
    await chat.send({ value });
    assert.equal((await answers.next()).value?.value, `re:${value}`);
  }
  chat.end();
  assert.equal((await answers.next()).done, true);
});

test("grpc-js: messages larger than the windows, both ways", async (t) => {
  const { client } = await grpcJs(t);
  const value = "x".repeat(3_000_000);
  assert.equal((await client.unary({ value })).value, value);
  const answers = await allOf(client.chat([{ value }, { value }]));
  assert.deepEqual(
    answers.map((answer) => answer.value.length),
    [3_000_003, 3_000_003],
  );
});

test("grpc-js: metadata both ways, text and bytes", async (t) => {
  const { client } = await grpcJs(t);
  const seen: Metadata[] = [];
  const { value } = await client.unary(
    { value: "meta" },
    {
      metadata: { "x-own": ["a", "b"], "x-own-bin": Uint8Array.of(1, 254) },
      onHeaders: (headers) => seen.push(headers),
      onTrailers: (trailers) => seen.push(trailers),
    },
  );
  assert.equal(value, "a, b 01fe");
  assert.equal(seen[0]?.get("x-header"), "h");
  assert.deepEqual([...(seen[1]?.get("x-bytes-bin") ?? [])], [0, 255, 1]);
});

test("grpc-js: an error with its code, text, details and metadata", async (t) => {
  const { client } = await grpcJs(t);
  const error = await failure(client.unary({ value: "fail" }), StatusCode.INVALID_ARGUMENT);
  assert.equal(error.message, "bad é");
  assert.equal(error.metadata.get("x-reason"), "email");
  const violation = error.detail(BadRequestSchema)?.fieldViolations[0];
  assert.deepEqual([violation?.field, violation?.description], ["email", "must contain @"]);
});

test("grpc-js: deadlines end a call on both sides", async (t) => {
  const clock = useFakeClock(t);
  const { client, server } = await grpcJs(t);
  const late = [
    client.unary({ value: "hang" }, { timeoutMs: 500 }),
    allOf(client.download({ value: "hang" }, { timeoutMs: 500 })),
  ].map((call) => failure(call, StatusCode.DEADLINE_EXCEEDED));
  await until(() => server.opened.includes("unary hang") && server.opened.includes("download hang"));
  assert.deepEqual(server.closed, []);
  await clock.advance(500);
  await Promise.all(late);
  await until(() => server.closed.includes("unary hang") && server.closed.includes("download hang"));
});

test("grpc-js: a cancel in the middle of each kind reaches the server, and the connection goes on", async (t) => {
  const { client, server } = await grpcJs(t);
  await client.unary({ value: "warm" });
  const controller = new AbortController();
  const unary = client.unary({ value: "hang" }, { signal: controller.signal });
  const upload = client.upload();
  await upload.send({ value: "a" });
  const chat = client.chat();
  await chat.send({ value: "a" });
  for await (const { value } of chat) {
    assert.equal(value, "re:a");
    break;
  }
  for await (const { value } of client.download({ value: "hang" })) {
    assert.equal(value, "first");
    break;
  }
  controller.abort();
  upload.cancel();
  await failure(unary, StatusCode.CANCELLED);
  await failure(upload, StatusCode.CANCELLED);
  const wanted = ["unary hang", "upload", "chat", "download hang"];
  await until(() => wanted.every((name) => server.closed.includes(name)));
  assert.equal((await client.unary({ value: "still here" })).value, "still here");
});

test("grpc-js: a call that fails twice with UNAVAILABLE is tried until it is served", async (t) => {
  const { server } = await grpcJs(t);
  const { client } = openChannel(t, server.target, { retry: { backoff: { initialMs: 1, maxMs: 1 } } });
  assert.equal((await client.unary({ value: "flaky" }, { idempotent: true })).value, "2");
  await failure(client.unary({ value: "flaky" }), StatusCode.UNAVAILABLE);
});
