/** How a response becomes a status: gRPC PROTOCOL-HTTP2 "Responses", http-grpc-status-mapping. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type CallOptions, type Metadata, StatusCode } from "volant";
import { frames } from "../../src/testing/frame-factory.ts";
import { messageBytes } from "./support/echo-service.ts";
import { drained, type EchoClient, failure, withPeer } from "./support/harness.ts";
import type { PeerConnection } from "./support/scripted-peer.ts";

type Answer = (connection: PeerConnection, id: number) => void;

/** A unary call that the peer answers with a script. */
async function answered(t: TestContext, answer: Answer, options: CallOptions = {}, channelOptions = {}) {
  const { peer, client } = await withPeer(t, channelOptions);
  const call = client.unary({ value: "ping" }, options);
  call.catch(() => undefined);
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  answer(connection, 1);
  return { call, connection, client };
}

test("gRPC detail 2: trailers without grpc-status are UNKNOWN", async (t) => {
  const { call } = await answered(t, (peer) =>
    peer.write(
      peer.headers(1),
      frames
        .headers(1)
        .fields([["x-y", "z"]])
        .endStream(),
    ),
  );
  const error = await failure(call, StatusCode.UNKNOWN);
  assert.match(error.message, /without grpc-status/);
});

test("data that ends the stream is no status", async (t) => {
  const { call } = await answered(t, (peer) =>
    peer.write(peer.headers(1), frames.data(1, messageBytes("pong")).endStream()),
  );
  await failure(call, StatusCode.UNKNOWN);
});

test("gRPC detail 9: grpc-status in headers that do not end the stream is not status", async (t) => {
  const { call } = await answered(t, (peer) =>
    peer.write(peer.headers(1, [["grpc-status", "5"]]), frames.data(1, messageBytes("pong")), peer.trailers(1)),
  );
  assert.equal((await call).value, "pong");
});

test("gRPC detail 9: Trailers-Only carries the status, its message and its metadata", async (t) => {
  const trailers: Metadata[] = [];
  const { call } = await answered(
    t,
    (peer) =>
      peer.write(
        peer
          .headers(1, [
            ["grpc-status", "5"],
            ["grpc-message", "no %C3%A9lan"],
            ["x-reason", "gone"],
          ])
          .endStream(),
      ),
    { onTrailers: (metadata) => trailers.push(metadata), onHeaders: () => assert.fail("these are trailers") },
  );
  const error = await failure(call, StatusCode.NOT_FOUND);
  assert.equal(error.message, "no élan");
  assert.equal(error.metadata.get("x-reason"), "gone");
  assert.equal(error.origin, "client");
  assert.equal(trailers[0]?.get("x-reason"), "gone");
});

test("an answer that is not gRPC is named with its HTTP status", async (t) => {
  for (const [http, code] of [
    [503, StatusCode.UNAVAILABLE],
    [401, StatusCode.UNAUTHENTICATED],
    [404, StatusCode.UNIMPLEMENTED],
    [200, StatusCode.UNKNOWN],
  ] as const) {
    const { call, connection } = await answered(t, (peer) =>
      peer.write(frames.headers(1).response(http, [["content-type", "text/html"]]), frames.data(1, "<html>")),
    );
    const error = await failure(call, code);
    assert.match(error.message, new RegExp(`HTTP ${http} with content-type "text/html"`));
    await connection.sees(/^RST_STREAM 1 CANCEL/);
  }
});

test("gRPC detail 5: §8.1 interim responses are passed over", async (t) => {
  const { call } = await answered(t, (peer) => {
    peer.write(frames.headers(1).response(103), frames.headers(1).response(100));
    peer.answer(1, "pong");
  });
  assert.equal((await call).value, "pong");
});

test("gRPC detail 2: codes that nobody knows, and texts that are none, are UNKNOWN", async (t) => {
  for (const status of ["17", "99", "999", "-1", "+1", "01", "0x5", "1.0", "abc", ""]) {
    const { call } = await answered(t, (peer) => peer.write(peer.headers(1), peer.trailers(1, status)));
    await failure(call, StatusCode.UNKNOWN);
  }
});

test("§8.2.1 a grpc-status with a space in front is a malformed field, not OK", async (t) => {
  const { call } = await answered(t, (peer) => peer.write(peer.headers(1), peer.trailers(1, " 0")));
  await failure(call, StatusCode.INTERNAL);
});

test("gRPC detail 11: two responses to a unary call, and none, are UNIMPLEMENTED", async (t) => {
  const two = await answered(t, (peer) =>
    peer.write(
      peer.headers(1),
      frames.data(1, Buffer.concat([messageBytes("a"), messageBytes("b")])),
      peer.trailers(1),
    ),
  );
  assert.match((await failure(two.call, StatusCode.UNIMPLEMENTED)).message, /more than one message/);
  const none = await answered(t, (peer) => peer.write(peer.headers(1), peer.trailers(1)));
  assert.match((await failure(none.call, StatusCode.UNIMPLEMENTED)).message, /no message/);
  const bare = await answered(t, (peer) => peer.write(peer.headers(1, [["grpc-status", "0"]]).endStream()));
  await failure(bare.call, StatusCode.UNIMPLEMENTED);
});

test("gRPC detail 25: a response that ends inside a message is INTERNAL, and the server's own error beats that", async (t) => {
  const half = messageBytes("pong").subarray(0, 7);
  const ok = await answered(t, (peer) => peer.write(peer.headers(1), frames.data(1, half), peer.trailers(1)));
  assert.match((await failure(ok.call, StatusCode.INTERNAL)).message, /inside a message/);
  const failed = await answered(t, (peer) => peer.write(peer.headers(1), frames.data(1, half), peer.trailers(1, "8")));
  await failure(failed.call, StatusCode.RESOURCE_EXHAUSTED);
});

test("gRPC detail 16: a response above the limit is RESOURCE_EXHAUSTED and reset", async (t) => {
  const { call, connection } = await answered(
    t,
    (peer) => peer.write(peer.headers(1), frames.data(1, messageBytes("x".repeat(200)))),
    {},
    { maxReceiveMessageBytes: 100 },
  );
  assert.match((await failure(call, StatusCode.RESOURCE_EXHAUSTED)).message, /larger than the 100 bytes/);
  await connection.sees(/^RST_STREAM 1 CANCEL/);
});

test("a response as large as the limit passes", async (t) => {
  const exact = messageBytes("x".repeat(98));
  assert.equal(exact.length, 105);
  const options = { maxReceiveMessageBytes: 100 };
  const { call } = await answered(
    t,
    (peer) => peer.write(peer.headers(1), frames.data(1, exact), peer.trailers(1)),
    {},
    options,
  );
  assert.equal((await call).value.length, 98);
});

test("octets that are no message are INTERNAL", async (t) => {
  const { call } = await answered(t, (peer) =>
    peer.write(peer.headers(1), frames.data(1, Buffer.from("00000000020aff", "hex"))),
  );
  assert.match((await failure(call, StatusCode.INTERNAL)).message, /cannot be decoded/);
});

test("data before headers is INTERNAL", async (t) => {
  const { call } = await answered(t, (peer) => peer.write(frames.data(1, messageBytes("pong"))));
  await failure(call, StatusCode.INTERNAL);
});

test("gRPC detail 17: binary metadata that is no base64 ends the call, not the connection", async (t) => {
  const headers = await answered(t, (peer) => peer.write(peer.headers(1, [["a-bin", "***"]])), {
    onHeaders: () => assert.fail("they cannot be read"),
  });
  await failure(headers.call, StatusCode.INTERNAL);
  const trailers = await answered(t, (peer) => peer.write(peer.headers(1), peer.trailers(1, "0", [["a-bin", "***"]])));
  await failure(trailers.call, StatusCode.INTERNAL);
  const next = trailers.client.unary({ value: "again" });
  await trailers.connection.sees(/^DATA 3 .*end/);
  trailers.connection.answer(3, "yes");
  assert.equal((await next).value, "yes");
});

test("what onHeaders and onTrailers throw goes to onError; the call and the connection go on", async (t) => {
  const errors: string[] = [];
  const fail = (): never => {
    throw new Error("listener");
  };
  const { call, client, connection } = await answered(
    t,
    (peer) => peer.answer(1, "pong"),
    { onHeaders: fail, onTrailers: fail },
    { onError: (error: Error, method: { path: string }) => errors.push(`${method.path} ${error.message}`) },
  );
  assert.equal((await call).value, "pong");
  assert.deepEqual(errors, ["/test.Echo/Unary listener", "/test.Echo/Unary listener"]);
  const next = client.unary({ value: "again" });
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "yes");
  assert.equal((await next).value, "yes");
});

test("the trailers of one call are not those of another", async (t) => {
  const seen: Metadata[] = [];
  const { call, client, connection } = await answered(t, (peer) => peer.answer(1, "a"), {
    onTrailers: (trailers) => seen.push(trailers.append("x-mine", "1")),
  });
  await call;
  const next = client.unary({ value: "b" }, { onTrailers: (trailers) => seen.push(trailers) });
  await connection.sees(/^DATA 3 .*end/);
  connection.answer(3, "b");
  await next;
  assert.equal(seen[1]?.size, 0);
});

async function downloading(
  t: TestContext,
): Promise<{ client: EchoClient; connection: PeerConnection; rest: ReturnType<typeof drained> }> {
  const { peer, client } = await withPeer(t);
  const rest = drained(client.download({ value: "2" }));
  const connection = await peer.accept();
  await connection.handshake();
  await connection.sees(/^DATA 1 .*end/);
  return { client, connection, rest };
}

test("messages that arrived with an error status come before it", async (t) => {
  const { connection, rest } = await downloading(t);
  connection.write(
    connection.headers(1),
    frames.data(1, Buffer.concat([messageBytes("a"), messageBytes("b")])),
    connection.trailers(1, "14"),
  );
  const { values, error } = await rest;
  assert.deepEqual(values, ["a", "b"]);
  assert.equal((error as { code: number }).code, StatusCode.UNAVAILABLE);
});

test("messages that arrived come before the loss of the connection", async (t) => {
  const { connection, rest } = await downloading(t);
  connection.write(connection.headers(1), frames.data(1, messageBytes("a")));
  connection.socket.end();
  const { values, error } = await rest;
  assert.deepEqual(values, ["a"]);
  assert.match(
    (error as Error).message,
    /the connection to 127\.0\.0\.1:\d+ was lost: the server closed the connection/,
  );
});
