/** Retries by policy: gRFC A6. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientInterceptor, createClient, type Metadata, RpcError, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { EchoService, messageBytes } from "./support/echo-service.ts";
import {
  allOf,
  armedTimers,
  failure,
  letDeadlinesPass,
  listenerCount,
  openChannel,
  until,
  withPeer,
  withServer,
} from "./support/harness.ts";
import { AT_ONCE, firstRequest, headersSeen, refuse, withRetries } from "./support/retrying.ts";

test("without a policy a failed attempt is the call's end", async (t) => {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "a" }, { idempotent: true });
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await failure(call, StatusCode.UNAVAILABLE);
  assert.equal(headersSeen(connection).length, 1);
});

test("gRPC detail 39: grpc-previous-rpc-attempts is absent on the first attempt, then 1, 2; the last failure is the call's", async (t) => {
  const { peer, client } = await withRetries(t, { maxAttempts: 3 });
  const call = client.unary({ value: "a" }, { timeoutMs: 60_000, metadata: { "x-own": "1" } });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await connection.sees(/^DATA 3 .*end/);
  refuse(connection, 3);
  await connection.sees(/^DATA 5 .*end/);
  refuse(connection, 5, "14", [["grpc-message", "third"]]);
  assert.equal((await failure(call, StatusCode.UNAVAILABLE)).message, "third");
  const [first, second, third, ...more] = headersSeen(connection);
  assert.deepEqual(more, []);
  assert.doesNotMatch(first!, /previous/);
  assert.match(second!, /grpc-timeout=.* x-own=1 grpc-previous-rpc-attempts=1$/);
  assert.match(third!, /x-own=1 grpc-previous-rpc-attempts=2$/);
});

test("gRPC detail 38: maxAttempts above 5 counts as 5", async (t) => {
  const { peer, client } = await withRetries(t, { maxAttempts: 50 });
  const call = client.unary({ value: "a" });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  for (let id = 1; id <= 9; id += 2) {
    if (id > 1) await connection.sees(new RegExp(`^DATA ${id} .*end`));
    refuse(connection, id);
  }
  await failure(call, StatusCode.UNAVAILABLE);
  assert.equal(headersSeen(connection).length, 5);
});

test("gRPC detail 38: response headers commit the call to their attempt, Trailers-Only does not", async (t) => {
  const { peer, client } = await withRetries(t);
  const call = client.unary({ value: "a" });
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await connection.sees(/^DATA 3 .*end/);
  connection.write(connection.headers(3), connection.trailers(3, "14"));
  await failure(call, StatusCode.UNAVAILABLE);
  assert.equal(headersSeen(connection).length, 2);
});

test("after response headers neither a reset nor the loss of the connection is tried again", async (t) => {
  for (const how of ["reset", "loss"]) {
    const { peer, client } = await withRetries(t, { codes: [StatusCode.UNAVAILABLE, StatusCode.CANCELLED] });
    const call = client.unary({ value: "a" });
    const connection = await firstRequest(peer);
    connection.write(connection.headers(1));
    if (how === "reset") connection.write(frames.rstStream(1, 8));
    else connection.socket.end();
    await failure(call, how === "reset" ? StatusCode.CANCELLED : StatusCode.UNAVAILABLE);
    assert.equal(peer.count, 1);
    assert.equal(headersSeen(connection).length, 1);
  }
});

test("caller and interceptors see one call: headers, trailers, hooks and end of the last attempt only", async (t) => {
  const { peer, channel } = await withRetries(t);
  const seen: string[] = [];
  const observer: ClientInterceptor = () => ({
    onCall(call) {
      seen.push("onCall");
      call.onEnd(({ status, messagesSent, messagesReceived }) =>
        seen.push(`end ${status.code} ${messagesSent} ${messagesReceived}`),
      );
    },
    onRequest: () => seen.push("onRequest"),
    onResponse: () => seen.push("onResponse"),
  });
  const client = createClient(EchoService, channel, { interceptors: [observer] });
  const note = (name: string) => (metadata: Metadata) => seen.push(`${name} ${metadata.get("x-attempt")}`);
  const call = client.unary({ value: "a" }, { onHeaders: note("headers"), onTrailers: note("trailers") });
  const connection = await firstRequest(peer);
  refuse(connection, 1, "14", [["x-attempt", "1"]]);
  await connection.sees(/^DATA 3 \[8\] end/);
  connection.write(
    connection.headers(3, [["x-attempt", "2"]]),
    frames.data(3, messageBytes("pong")),
    connection.trailers(3, "0", [["x-attempt", "2"]]),
  );
  assert.equal((await call).value, "pong");
  assert.deepEqual(seen, ["onCall", "onRequest", "headers 2", "onResponse", "trailers 2", "end 0 1 1"]);
});

test("a reset with a code of the policy, the loss of a connection and a proxy's 503 are tried again", async (t) => {
  const { peer, client } = await withRetries(t, { codes: [StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED] });
  const call = client.unary({ value: "a" });
  const first = await firstRequest(peer);
  first.write(frames.rstStream(1, 11));
  await first.sees(/^DATA 3 .*end/);
  first.write(frames.headers(3).response(503, [["content-type", "text/html"]]), frames.data(3, "busy"));
  await first.sees(/^RST_STREAM 3 CANCEL/);
  await first.sees(/^DATA 5 .*end/);
  first.socket.end();
  const second = await firstRequest(peer);
  assert.match(headersSeen(second)[0]!, /grpc-previous-rpc-attempts=3/);
  second.answer(1, "pong");
  assert.equal((await call).value, "pong");
});

test("a status that the policy does not name is the call's end", async (t) => {
  const { peer, client } = await withRetries(t);
  const call = client.unary({ value: "a" });
  const connection = await firstRequest(peer);
  refuse(connection, 1, "8");
  await failure(call, StatusCode.RESOURCE_EXHAUSTED);
  assert.equal(headersSeen(connection).length, 1);
});

test("what a server may have acted on is repeated only where that does no harm: the proto or the caller says so", async (t) => {
  for (const [methods, idempotent, attempts] of [
    ["idempotent", undefined, 1],
    ["idempotent", true, 2],
    ["all", undefined, 2],
    ["all", false, 1],
  ] as const) {
    const { peer, client } = await withRetries(t, { methods, maxAttempts: 2 });
    const call = client.unary({ value: "a" }, idempotent === undefined ? {} : { idempotent });
    call.catch(() => undefined);
    const connection = await firstRequest(peer);
    refuse(connection, 1);
    if (attempts === 2) {
      await connection.sees(/^DATA 3 .*end/);
      refuse(connection, 3);
    }
    await failure(call, StatusCode.UNAVAILABLE);
    assert.equal(headersSeen(connection).length, attempts, `${methods}, ${idempotent}`);
  }
});

test("a call that found no connection, and one refused twice, is tried again whatever its method", async (t) => {
  const backoff = { initialMs: 30, maxMs: 30 };
  const { peer, client } = await withRetries(t, { methods: "idempotent", backoff }, { backoff: AT_ONCE });
  const call = client.unary({ value: "a" });
  (await peer.accept()).destroy();
  const connection = await firstRequest(peer);
  connection.write(frames.rstStream(1, 7));
  await connection.sees(/^DATA 3 .*end/);
  connection.write(frames.rstStream(3, 7));
  await connection.sees(/^DATA 5 .*end/);
  assert.match(headersSeen(connection)[2]!, /grpc-previous-rpc-attempts=2/);
  connection.answer(5, "pong");
  assert.equal((await call).value, "pong");
});

test("an iterable that waits for a connection is read when a later attempt has one", async (t) => {
  const backoff = { initialMs: 30, maxMs: 30 };
  const { peer, client } = await withRetries(t, { backoff }, { backoff: AT_ONCE });
  const upload = client.upload([{ value: "a" }]);
  const chat = client.chat();
  const sent = chat.send({ value: "b" });
  (await peer.accept()).destroy();
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA \d \[0\] end/);
  await sent;
  connection.answer(1, "done");
  connection.answer(3, "done");
  assert.equal((await upload).value, "done");
  assert.equal((await allOf(chat)).length, 1);
});

test("gRPC detail 39: grpc-retry-pushback-ms is the wait, in place of the backoff", async (t) => {
  const slow = { initialMs: 1_000_000, maxMs: 1_000_000 };
  const { peer, client } = await withRetries(t, { backoff: slow });
  const call = client.unary({ value: "a" });
  const connection = await firstRequest(peer);
  refuse(connection, 1, "14", [["grpc-retry-pushback-ms", "0"]]);
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "pong");
  assert.equal((await call).value, "pong");
});

test("gRPC detail 39: a pushback that is negative, unreadable or given twice means no retry", async (t) => {
  for (const values of [["-1"], ["soon"], [""], ["1.5"], ["99999999999"], ["1", "2"]]) {
    const { peer, client } = await withRetries(t);
    const call = client.unary({ value: "a" });
    const connection = await firstRequest(peer);
    refuse(
      connection,
      1,
      "14",
      values.map((value) => ["grpc-retry-pushback-ms", value] as const),
    );
    await failure(call, StatusCode.UNAVAILABLE);
    assert.equal(headersSeen(connection).length, 1, values.join());
  }
});

test("a handler steers retries by the trailers of its error", async (t) => {
  let calls = 0;
  const { port } = await withServer(t, {
    unary({ value }) {
      if (++calls > 1) return { value: String(calls) };
      throw new RpcError(StatusCode.UNAVAILABLE, "busy", { metadata: { "grpc-retry-pushback-ms": value } });
    },
  });
  const backoff = { initialMs: 1_000_000, maxMs: 1_000_000 };
  const { client } = openChannel(t, `127.0.0.1:${port}`, { retry: { backoff } });
  assert.equal((await client.unary({ value: "1" }, { idempotent: true })).value, "2");
  calls = 0;
  await failure(client.unary({ value: "-1" }, { idempotent: true }), StatusCode.UNAVAILABLE);
  assert.equal(calls, 1);
});

test("a wait that ends behind the deadline is not begun: the call ends with what failed it", async (t) => {
  const { peer, client } = await withRetries(t);
  const call = client.unary({ value: "a" }, { timeoutMs: 60_000 });
  const connection = await firstRequest(peer);
  refuse(connection, 1, "14", [
    ["grpc-retry-pushback-ms", "60000"],
    ["grpc-message", "overloaded"],
  ]);
  assert.equal((await failure(call, StatusCode.UNAVAILABLE)).message, "overloaded");
});

test("gRPC detail 38: retry throttling stops retries at half of the tokens, and successes give them back", async (t) => {
  const { peer, client } = await withRetries(t, { throttling: { maxTokens: 4, tokenRatio: 1 } });
  const call = client.unary({ value: "a" });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await connection.sees(/^DATA 3 .*end/);
  // 4 tokens, less two: no more than half is left.
  refuse(connection, 3);
  await failure(call, StatusCode.UNAVAILABLE);
  for (const id of [5, 7]) {
    const served = client.unary({ value: "b" });
    await connection.sees(new RegExp(`^DATA ${id} .*end`));
    connection.answer(id, "b");
    await served;
  }
  const again = client.unary({ value: "c" });
  await connection.sees(/^DATA 9 .*end/);
  refuse(connection, 9);
  await connection.sees(/^DATA 11 .*end/);
  connection.answer(11, "c");
  assert.equal((await again).value, "c");
});

test("a request stream is read once and sent again as it was encoded", async (t) => {
  const { peer, client } = await withRetries(t);
  let reads = 0;
  const requests = {
    async *[Symbol.asyncIterator]() {
      reads++;
      const message = { value: "" };
      for (const value of ["a", "b", "c"]) {
        message.value = value;
        yield message;
      }
    },
  };
  const call = client.upload(requests);
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 \[0\] end/);
  refuse(connection, 1);
  for (const value of ["a", "b", "c"]) {
    assert.deepEqual((await connection.sees(/^DATA 3/)).payload, messageBytes(value));
  }
  await connection.sees(/^DATA 3 \[0\] end/);
  connection.answer(3, "a,b,c");
  assert.equal((await call).value, "a,b,c");
  assert.equal(reads, 1);
});

test("server streaming and chats are tried again until their headers arrive; what is sent meanwhile follows", async (t) => {
  const { peer, client } = await withRetries(t);
  const download = allOf(client.download({ value: "1" }));
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "x");
  assert.deepEqual(
    (await download).map(({ value }) => value),
    ["x"],
  );
  const chat = client.chat();
  await chat.send({ value: "1" });
  await connection.sees(/^DATA 5/);
  refuse(connection, 5);
  await connection.sees(/^HEADERS 7/);
  await chat.send({ value: "2" });
  chat.end();
  assert.deepEqual((await connection.sees(/^DATA 7/)).payload, messageBytes("1"));
  assert.deepEqual((await connection.sees(/^DATA 7/)).payload, messageBytes("2"));
  await connection.sees(/^DATA 7 \[0\] end/);
  connection.answer(7, "done");
  assert.deepEqual(
    (await allOf(chat)).map(({ value }) => value),
    ["done"],
  );
});

test("gRPC detail 38: a request stream beyond its replay buffer commits the call", async (t) => {
  for (const replayBuffer of [{ callBytes: 100 }, { channelBytes: 100 }]) {
    const { peer, client } = await withRetries(t, {}, { replayBuffer });
    const call = client.upload();
    void call.send({ value: "x".repeat(200) });
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1/);
    refuse(connection, 1);
    await failure(call, StatusCode.UNAVAILABLE);
    assert.equal(headersSeen(connection).length, 1);
  }
});

test("what calls kept of their requests is given back when headers arrive and when they end", async (t) => {
  const { peer, client, channel } = await withRetries(t);
  const { budget } = channel.options.replay;
  const open = client.chat();
  const over = client.upload();
  const opening = Promise.all([open.send({ value: "a" }), over.send({ value: "b" })]);
  const connection = await peer.accept();
  await connection.handshake();
  await opening;
  assert.ok(budget.usedBytes > 0);
  connection.write(connection.headers(1));
  over.cancel();
  await failure(over, StatusCode.CANCELLED);
  await until(() => budget.usedBytes === 0);
  open.cancel();
});

test("a call that waits for its next attempt ends like any other: signal, close; and nothing stays behind", async (t) => {
  for (const how of ["signal", "close"]) {
    const backoff = { initialMs: 1_000_000, maxMs: 1_000_000 };
    const { peer, client, channel } = await withRetries(t, { backoff });
    const controller = new AbortController();
    const call = client.unary({ value: "a" }, { signal: controller.signal, timeoutMs: 10_000_000 });
    call.catch(() => undefined);
    const connection = await firstRequest(peer);
    refuse(connection, 1);
    await until(() => channel.pendingCount === 1);
    const timers = armedTimers();
    if (how === "signal") controller.abort();
    else await channel.close();
    await failure(call, StatusCode.CANCELLED);
    assert.equal(channel.pendingCount, 0);
    assert.equal(listenerCount(controller.signal), 0);
    assert.ok(armedTimers() < timers);
  }
});

test("gRPC detail 8: the deadline covers all attempts", async (t) => {
  const { peer, client } = await withRetries(t);
  const call = client.unary({ value: "a" }, { timeoutMs: 60_000 });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  refuse(connection, 1);
  await connection.sees(/^DATA 3 .*end/);
  letDeadlinesPass();
  await failure(call, StatusCode.DEADLINE_EXCEEDED);
  await connection.sees(/^RST_STREAM 3 CANCEL/);
});
