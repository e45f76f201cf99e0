/**
 * A server that answers whatever it likes: each malformed response has the status of the specification, the call always
 * ends, nothing escapes, and other calls go on. gRPC PROTOCOL-HTTP2 "Responses".
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Metadata, type RpcError, StatusCode } from "volant";
import { type Fields, frames } from "../../src/testing/frame-factory.ts";
import { messageBytes } from "./support/echo-service.ts";
import { type EchoClient, failure, withPeer } from "./support/harness.ts";
import { firstRequest } from "./support/retrying.ts";
import type { PeerConnection } from "./support/scripted-peer.ts";

type Script = (peer: PeerConnection, id: number) => void;

/** What a fresh connection's first unary call ends with. */
async function endOf(t: TestContext, script: Script, code: StatusCode): Promise<RpcError> {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "a" }, { onTrailers: () => undefined });
  call.catch(() => undefined);
  script(await firstRequest(peer), 1);
  return failure(call, code);
}

/** The call ends with this, and the next one on the same connection is served. */
async function onlyTheCallEnds(t: TestContext, script: Script, code: StatusCode): Promise<RpcError> {
  const { peer, client } = await withPeer(t);
  const call = client.unary({ value: "a" });
  call.catch(() => undefined);
  const connection = await firstRequest(peer);
  script(connection, 1);
  const error = await failure(call, code);
  await isServed(client, connection, 3);
  return error;
}

async function isServed(client: EchoClient, connection: PeerConnection, id: number): Promise<void> {
  const next = client.unary({ value: "next" });
  await connection.sees(new RegExp(`^DATA ${id} .*end`));
  connection.answer(id, "served");
  assert.equal((await next).value, "served");
}

const trailersOf = (id: number, fields: Fields) => frames.headers(id).fields(fields).endStream();

test("gRPC detail 5: an interim response that ends the stream is INTERNAL", async (t) => {
  await onlyTheCallEnds(t, (peer, id) => peer.write(frames.headers(id).response(103).endStream()), StatusCode.INTERNAL);
});

test("interim responses without end cost the call, not the client", async (t) => {
  await onlyTheCallEnds(
    t,
    (peer, id) => {
      const hint = frames.headers(id).response(103, [["link", "</style.css>; rel=preload".repeat(10)]]);
      for (let count = 0; count < 100; count++) peer.write(hint);
    },
    StatusCode.RESOURCE_EXHAUSTED,
  );
});

test("PUSH_PROMISE ends the connection: its calls are UNAVAILABLE", async (t) => {
  const error = await endOf(t, (peer, id) => peer.write(frames.pushPromise(id, 2)), StatusCode.UNAVAILABLE);
  assert.match(error.message, /push/);
});

test("a header block that never ends ends the connection", async (t) => {
  await endOf(
    t,
    (peer, id) => {
      peer.write(frames.headers(id).response(200).withoutFlag(0x4));
      for (let count = 0; count < 50; count++) peer.write(frames.continuation(id, Buffer.alloc(0), false));
    },
    StatusCode.UNAVAILABLE,
  );
});

test("a header list beyond the limit ends the call, in headers and in trailers", async (t) => {
  const large: Fields = Array.from({ length: 120 }, (_, index) => [`x-${index}`, "v".repeat(200)]);
  const headers = (id: number) => frames.headers(id).response(200, [["content-type", "application/grpc"], ...large]);
  const cut = 16_000;
  await onlyTheCallEnds(t, (peer, id) => peer.write(headers(id).continued(cut)), StatusCode.RESOURCE_EXHAUSTED);
  await onlyTheCallEnds(
    t,
    (peer, id) => peer.write(peer.headers(id), trailersOf(id, [["grpc-status", "0"], ...large]).continued(cut)),
    StatusCode.RESOURCE_EXHAUSTED,
  );
});

test("gRPC detail 20: a content-type that only begins like application/grpc is not gRPC", async (t) => {
  for (const type of ["application/grpcfoo", "application/grpc-web", "application/json", "text/html", ""]) {
    const script: Script = (peer, id) => peer.write(frames.headers(id).response(200, [["content-type", type]]));
    await onlyTheCallEnds(t, script, StatusCode.UNKNOWN);
  }
  for (const type of ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]) {
    const { peer, client } = await withPeer(t);
    const call = client.unary({ value: "a" });
    const connection = await firstRequest(peer);
    connection.write(
      frames.headers(1).response(200, [["content-type", type]]),
      frames.data(1, messageBytes("pong")),
      connection.trailers(1),
    );
    assert.equal((await call).value, "pong", type);
  }
});

test("gRPC detail 4: an answer that is no gRPC has the status of its HTTP status", async (t) => {
  for (const [http, code] of [
    [400, StatusCode.INTERNAL],
    [401, StatusCode.UNAUTHENTICATED],
    [403, StatusCode.PERMISSION_DENIED],
    [404, StatusCode.UNIMPLEMENTED],
    [429, StatusCode.UNAVAILABLE],
    [502, StatusCode.UNAVAILABLE],
    [503, StatusCode.UNAVAILABLE],
    [504, StatusCode.UNAVAILABLE],
    [302, StatusCode.UNKNOWN],
    [500, StatusCode.UNKNOWN],
  ] as const) {
    await onlyTheCallEnds(t, (peer, id) => peer.write(frames.headers(id).response(http).endStream()), code);
  }
});

test("gRPC detail 3: grpc-status beats the HTTP status, and with gRPC's content-type :status does not count", async (t) => {
  const beaten: Script = (peer, id) =>
    peer.write(
      frames
        .headers(id)
        .response(503, [["grpc-status", "5"]])
        .endStream(),
    );
  await onlyTheCallEnds(t, beaten, StatusCode.NOT_FOUND);
  const ignored: Script = (peer, id) =>
    peer.write(
      frames.headers(id).response(404, [["content-type", "application/grpc"]]),
      trailersOf(id, [["grpc-status", "7"]]),
    );
  await onlyTheCallEnds(t, ignored, StatusCode.PERMISSION_DENIED);
});

test("gRPC detail 2: two statuses that differ are none: UNKNOWN", async (t) => {
  const script: Script = (peer, id) =>
    peer.write(
      peer.headers(id),
      trailersOf(id, [
        ["grpc-status", "5"],
        ["grpc-status", "0"],
      ]),
    );
  await onlyTheCallEnds(t, script, StatusCode.UNKNOWN);
});

test("gRPC detail 1: grpc-message is decoded where it can be and kept where it cannot", async (t) => {
  for (const [wire, text] of [
    ["50%25 off", "50% off"],
    ["caf%C3%A9", "café"],
    ["broken %zz %4", "broken %zz %4"],
    ["%", "%"],
    ["%C3", "\ufffd"],
    ["", ""],
  ] as const) {
    const script: Script = (peer, id) =>
      peer.write(
        peer.headers(id),
        trailersOf(id, [
          ["grpc-status", "9"],
          ["grpc-message", wire],
        ]),
      );
    assert.equal((await onlyTheCallEnds(t, script, StatusCode.FAILED_PRECONDITION)).message, text);
  }
});

test("status details that cannot be read leave the status as it is", async (t) => {
  for (const details of ["***", "AAAA", ""]) {
    const script: Script = (peer, id) =>
      peer.write(
        peer.headers(id),
        trailersOf(id, [
          ["grpc-status", "5"],
          ["grpc-status-details-bin", details],
        ]),
      );
    assert.deepEqual((await onlyTheCallEnds(t, script, StatusCode.NOT_FOUND)).details, []);
  }
});

test("gRPC detail 17: -bin values are read padded and not, and each of a list; bad base64 is INTERNAL", async (t) => {
  const { peer, client } = await withPeer(t);
  const trailers: Metadata[] = [];
  const call = client.unary({ value: "a" }, { onTrailers: (metadata) => trailers.push(metadata) });
  const connection = await firstRequest(peer);
  connection.write(
    connection.headers(1),
    frames.data(1, messageBytes("pong")),
    connection.trailers(1, "0", [
      ["a-bin", "AQ=="],
      ["a-bin", "Ag,Aw=="],
    ]),
  );
  await call;
  assert.deepEqual(
    trailers[0]!.getAll("a-bin").map((bytes) => [...bytes]),
    [[1], [2], [3]],
  );
  const bad: Script = (script, id) => script.write(script.headers(id), script.trailers(id, "5", [["a-bin", "*"]]));
  await onlyTheCallEnds(t, bad, StatusCode.INTERNAL);
});

test("gRPC detail 10: a response without a status is not OK, whatever it carried", async (t) => {
  const bodies: Script[] = [
    (peer, id) => peer.write(peer.headers(id), frames.data(id, messageBytes("pong")).endStream()),
    (peer, id) => peer.write(peer.headers(id), frames.data(id, messageBytes("pong")), trailersOf(id, [["x-a", "b"]])),
    (peer, id) => peer.write(peer.headers(id).endStream()),
  ];
  for (const script of bodies) await onlyTheCallEnds(t, script, StatusCode.UNKNOWN);
});

test("gRPC detail 12: a compressed message without grpc-encoding, and any other flag, is INTERNAL", async (t) => {
  for (const flag of [1, 2, 0x80, 0xff]) {
    const message = messageBytes("pong");
    message[0] = flag;
    await onlyTheCallEnds(t, (peer, id) => peer.write(peer.headers(id), frames.data(id, message)), StatusCode.INTERNAL);
  }
});

test("gRPC detail 16: a message that announces 4 GiB is refused by its prefix", async (t) => {
  const prefix = Buffer.from("00ffffffff", "hex");
  const script: Script = (peer, id) => peer.write(peer.headers(id), frames.data(id, prefix));
  await onlyTheCallEnds(t, script, StatusCode.RESOURCE_EXHAUSTED);
});

test("gRPC detail 25: a message arrives whole wherever its DATA frames are cut", async (t) => {
  const message = messageBytes("pong");
  const { peer, client } = await withPeer(t);
  const warm = client.unary({ value: "" });
  const connection = await firstRequest(peer);
  connection.answer(1, "");
  await warm;
  for (let cut = 1; cut < message.length; cut++) {
    const call = client.unary({ value: "a" });
    const id = 1 + 2 * cut;
    await connection.sees(new RegExp(`^DATA ${id} .*end`));
    connection.write(
      connection.headers(id),
      frames.data(id, message.subarray(0, cut)),
      frames.data(id, message.subarray(cut)),
      connection.trailers(id),
    );
    assert.equal((await call).value, "pong");
  }
});

test("gRPC detail 11: more than one answer to an upload, and none, are UNIMPLEMENTED", async (t) => {
  for (const count of [0, 2]) {
    const { peer, client } = await withPeer(t);
    const call = client.upload([]);
    const connection = await peer.accept();
    await connection.handshake();
    await connection.sees(/^DATA 1 .*end/);
    const messages = Array.from({ length: count }, () => frames.data(1, messageBytes("x")));
    connection.write(connection.headers(1), ...messages, connection.trailers(1));
    await failure(call, StatusCode.UNIMPLEMENTED);
  }
});

test("answers on streams that are over, or never were, do no harm to the calls that are under way", async (t) => {
  const { peer, client } = await withPeer(t);
  const cancelled = new AbortController();
  const over = client.unary({ value: "a" }, { signal: cancelled.signal });
  over.catch(() => undefined);
  const connection = await firstRequest(peer);
  cancelled.abort();
  await failure(over, StatusCode.CANCELLED);
  await connection.sees(/^RST_STREAM 1 CANCEL/);
  connection.answer(1, "late");
  await isServed(client, connection, 3);
  const next = client.unary({ value: "b" });
  await connection.sees(/^DATA 5 .*end/);
  connection.answer(99, "for nobody");
  assert.match((await failure(next, StatusCode.UNAVAILABLE)).message, /the connection ended/);
});
