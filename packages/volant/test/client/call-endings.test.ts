/** What ends a call from outside it, and with which status: resets, loss, silence, clocks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { realTime, replaceTime } from "../../src/transport/time.ts";
import { messageBytes } from "./support/echo-service.ts";
import { allOf, drained, failure, withPeer } from "./support/harness.ts";
import { firstRequest } from "./support/retrying.ts";

const RST_MAP: readonly (readonly [code: number, status: StatusCode])[] = [
  [0x0, StatusCode.INTERNAL],
  [0x1, StatusCode.INTERNAL],
  [0x2, StatusCode.INTERNAL],
  [0x3, StatusCode.INTERNAL],
  [0x4, StatusCode.INTERNAL],
  [0x6, StatusCode.INTERNAL],
  [0x8, StatusCode.CANCELLED],
  [0x9, StatusCode.INTERNAL],
  [0xa, StatusCode.INTERNAL],
  [0xb, StatusCode.RESOURCE_EXHAUSTED],
  [0xc, StatusCode.PERMISSION_DENIED],
];

test("gRPC detail 24: the code of RST_STREAM is the status of the call", async (t) => {
  const { peer, client } = await withPeer(t);
  const warm = client.unary({ value: "" });
  const connection = await firstRequest(peer);
  connection.answer(1, "");
  await warm;
  for (const [index, [code, status]] of RST_MAP.entries()) {
    const call = client.unary({ value: "a" });
    const id = 3 + 2 * index;
    await connection.sees(new RegExp(`^DATA ${id} .*end`));
    connection.write(frames.rstStream(id, code));
    await failure(call, status);
  }
  const refused = client.unary({ value: "a" });
  const id = 3 + 2 * RST_MAP.length;
  await connection.sees(new RegExp(`^DATA ${id} .*end`));
  connection.write(frames.rstStream(id, 7));
  await connection.sees(new RegExp(`^DATA ${id + 2} .*end`));
  connection.write(frames.rstStream(id + 2, 7));
  await failure(refused, StatusCode.UNAVAILABLE);
});

test("gRPC detail 28: the loss of the connection ends the calls of all kinds with UNAVAILABLE", async (t) => {
  const { peer, client } = await withPeer(t);
  const calls: PromiseLike<unknown>[] = [
    client.unary({ value: "a" }),
    client.upload(),
    allOf(client.chat()),
    allOf(client.download({ value: "a" })),
  ];
  const failures = calls.map((call) => failure(call, StatusCode.UNAVAILABLE));
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 7 .*end/);
  connection.destroy();
  for (const error of await Promise.all(failures)) assert.match(error.message, /the connection to .* was lost/);
});

test("gRPC detail 29: a server that answers no keepalive ping ends its calls with UNAVAILABLE", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  // Below what an option allows, so that the test need not wait for ten seconds.
  Object.assign(channel.options.keepalive, { timeMs: 20, timeoutMs: 20 });
  const call = client.unary({ value: "a" });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  await connection.sees(/^PING/);
  const error = await failure(call, StatusCode.UNAVAILABLE);
  assert.match(error.message, /did not answer a keepalive ping/);
});

test("gRPC detail 33: keepalive pings a server that is silent while a call is under way; an answer keeps the call", async (t) => {
  const { peer, client, channel } = await withPeer(t);
  Object.assign(channel.options.keepalive, { timeMs: 20, timeoutMs: 60_000 });
  const call = client.unary({ value: "a" });
  const connection = await firstRequest(peer);
  const { payload } = await connection.sees(/^PING/);
  connection.write(frames.raw(0x6, 0x1, 0, payload));
  connection.answer(1, "a");
  assert.equal((await call).value, "a");
});

test("gRPC detail 8: CANCELLED by the server is DEADLINE_EXCEEDED once the deadline has passed, without its trailers", async (t) => {
  for (const how of ["reset", "status"]) {
    const { peer, client } = await withPeer(t);
    const call = client.unary(
      { value: "a" },
      { timeoutMs: 60_000, onTrailers: () => assert.fail("they speak of something else") },
    );
    call.catch(() => undefined);
    const connection = await firstRequest(peer);
    const real = replaceTime({ ...realTime, monotonicMs: () => realTime.monotonicMs() + 61_000 });
    if (how === "reset") connection.write(frames.rstStream(1, 8));
    else connection.write(connection.headers(1), connection.trailers(1, "1", [["x-why", "cancelled"]]));
    const error = await failure(call, StatusCode.DEADLINE_EXCEEDED);
    replaceTime(real);
    assert.equal(error.metadata.size, 0);
  }
});

test("gRPC detail 27: a status that comes while the request waits for its window stands, and ends the request", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "x".repeat(200_000) });
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1/);
  connection.write(connection.headers(1), frames.data(1, messageBytes("enough")), connection.trailers(1));
  assert.equal((await call).value, "enough");
  await connection.sees(/^RST_STREAM 1 NO_ERROR/);
});

test("gRPC detail 26: the one message of a call carries END_STREAM, a stream without a message ends in an empty DATA", async (t) => {
  const { peer, client } = await withPeer(t);
  const unary = client.unary({ value: "a" });
  const upload = client.upload([]);
  const download = drained(client.download({ value: "x".repeat(20_000) }));
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 \[8\] end/);
  await connection.sees(/^DATA 5 \[16384\]$/);
  await connection.sees(/^DATA 5 \[\d+\] end/);
  await connection.sees(/^DATA 3 \[0\] end/);
  for (const id of [1, 3, 5]) connection.answer(id, "a");
  await Promise.all([unary, upload, download]);
});

test("a status message with escape sequences reaches no terminal by the stack of a call that is awaited; its value is as sent", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = failure(client.unary({ value: "a" }), StatusCode.ABORTED);
  const connection = await firstRequest(peer);
  const fields = [
    ["content-type", "application/grpc"],
    ["grpc-status", String(StatusCode.ABORTED)],
    ["grpc-message", "%1B[2J%C2%9B31m%0Dover"],
  ] as const;
  connection.write(frames.headers(1).response(200, fields).endStream());
  const error = await call;
  assert.equal(error.message, "\x1b[2J\x9b31m\rover");
  assert.ok(
    error.stack!.startsWith("RpcError: ABORTED /test.Echo/Unary: \\u001b[2J\\u009b31m\\u000dover\n    at "),
    error.stack,
  );
});
