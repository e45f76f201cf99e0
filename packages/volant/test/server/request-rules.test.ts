/** What is no gRPC call, or a broken one, and how it is answered: gRPC PROTOCOL-HTTP2 "Requests", "Errors". */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RejectedCall, StatusCode } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, withHandlers } from "./support/lab-service.ts";
import { call, prefixed, RawPeer } from "./support/raw-peer.ts";

const EMPTY = prefixed(Buffer.alloc(0));
const path = "/volant.test.Lab/Unary";

test("what reaches no method is refused with one block, the rest is not wanted, and onRejected hears of it", async (t) => {
  const rejected: RejectedCall[] = [];
  const { chat: _left, ...some } = echo;
  const lab = await useServer(t, (server) => server.add(Lab, some, { partial: true }), {
    server: { onRejected: (refusal) => rejected.push(refusal) },
  });
  const peer = await RawPeer.ready(lab);
  peer.send(call(1, "Chat"));
  const [refusal, ...rest] = await peer.answer(1);
  assert.match(refusal!, /^HEADERS 1 end .*grpc-status=12 grpc-message=.* this server does not implement it/);
  await peer.line(/^RST_STREAM 1 NO_ERROR/);
  assert.ok(rest.length <= 1);
  const [{ path: asked, code, peer: from }] = rejected as [RejectedCall];
  assert.deepEqual([asked, code], ["/volant.test.Lab/Chat", StatusCode.UNIMPLEMENTED]);
  assert.match(from.address, /^127\.0\.0\.1:/);
});

test("onRejected that throws costs neither the answer nor the connection", async (t) => {
  const lab = await useServer(t, withHandlers({}), {
    server: {
      onRejected: () => {
        throw new Error("broken");
      },
    },
  });
  const written: string[] = [];
  const write = t.mock.method(process.stderr, "write", (text: string) => written.push(text) > 0);
  const peer = await RawPeer.ready(lab);
  peer.send(call(1, "Nope").endStream());
  assert.match((await peer.answer(1))[0]!, /grpc-status=12/);
  peer.send(call(3, "Unary"), frames.data(3, EMPTY).endStream());
  assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/);
  write.mock.restore();
  assert.deepEqual(written, ["volant: onRejected itself failed: Error: broken\n"]);
});

test("a path as long as headers may be is answered without repeating all of it", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.ready(lab);
  peer.send(call(1, "x".repeat(5_000)).endStream());
  const [refusal] = await peer.answer(1);
  assert.ok(refusal!.length < 800, `${refusal!.length} characters`);
  assert.match(refusal!, /grpc-status=12/);
});

test("a message of exactly the limit is taken", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: () => ({}) }), { server: { maxReceiveMessageBytes: 1_000 } });
  const peer = await RawPeer.ready(lab);
  // Field 3, bytes, 997 octets: two octets of length, one of tag.
  const message = Buffer.concat([Buffer.of(0x1a, 0xe5, 0x07), Buffer.alloc(997)]);
  assert.equal(message.length, 1_000);
  peer.send(call(1, "Unary"), frames.data(1, prefixed(message)).endStream());
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
});

test("a field of gRPC that is there twice and agrees with itself is taken", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.ready(lab);
  const twice = [
    ["content-type", "application/grpc"],
    ["grpc-timeout", "1H"],
    ["grpc-encoding", "identity"],
  ] as const;
  peer.send(call(1, "Unary", [...twice, ...twice]), frames.data(1, prefixed(Buffer.alloc(0))).endStream());
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
});

test("te is not insisted on, and what is not trailers is refused", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.ready(lab);
  const headers = frames.headers(1).request("POST", path, [["content-type", "application/grpc+proto"]]);
  peer.send(headers, frames.data(1, EMPTY).endStream());
  assert.match((await peer.answer(1)).at(-1)!, /grpc-status=0/);
});

test("an HTTP/1.1 request is answered in HTTP/1.1 with 426 and a text, and the connection closes", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.open(lab, false);
  peer.send(Buffer.from("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"));
  await peer.closed();
  const text = peer.raw.toString();
  assert.match(text, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
  assert.match(text, /\r\n\r\n.+/);
  await eventually("the server to forget it", () => lab.server.connectionCount === 0);
});

const ABRUPT: Record<string, Buffer> = {
  garbage: Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  "half a preface": frames.preface.subarray(0, 10),
  nothing: Buffer.alloc(0),
  "a preface and half a frame": Buffer.concat([frames.preface, frames.settings().bytes().subarray(0, 5)]),
};

for (const [what, bytes] of Object.entries(ABRUPT)) {
  test(`${what}, then the end: the connection is over and holds nothing`, async (t) => {
    const lab = await useServer(t, withHandlers({}));
    const peer = await RawPeer.open(lab, false);
    await eventually("the server to see it", () => lab.server.connectionCount === 1);
    peer.send(bytes);
    peer.socket.end();
    await peer.closed();
    await eventually("the server to forget it", () => lab.server.connectionCount === 0);
  });
}

test("CVE-2023-44487 a thousand calls that are reset at once leave nothing", async (t) => {
  const lab = await useServer(t, withHandlers({}));
  const peer = await RawPeer.ready(lab);
  for (let id = 1; id < 2_000; id += 2) peer.send(call(id, "Upload"), frames.rstStream(id, 8));
  peer.send(frames.ping("finished"));
  await Promise.race([peer.line(/^PING .* ack/), peer.closed()]);
  await eventually("every call to be over", () => lab.server.streamCount === 0 && lab.server.handlerCount === 0);
});
