/** What is no gRPC call, or a broken one, and how it is answered: gRPC PROTOCOL-HTTP2 "Requests", "Errors". */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RejectedCall } from "../../src/index.ts";
import { frames } from "../../src/testing/frame-factory.ts";
import { eventually, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, withHandlers } from "./support/lab-service.ts";
import { call, GRPC_FIELDS, prefixed, RawPeer } from "./support/raw-peer.ts";

const EMPTY = prefixed(Buffer.alloc(0));
const path = "/volant.test.Lab/Unary";
const JSON_FIELDS = [["content-type", "application/json"]] as const;
const NO_FIELDS: readonly [] = [];

const HEAD_RULES: readonly (readonly [string, ReturnType<typeof call>, RegExp])[] = [
  [
    "an unknown method",
    call(1, "Nope"),
    /:status=200 .*grpc-status=12 grpc-message=unknown method \/volant\.test\.Lab\/Nope/,
  ],
  ["a method left out of a partial service", call(1, "Chat"), /grpc-status=12 grpc-message=unknown method/],
  [
    "an unknown service",
    frames.headers(1).request("POST", "/a.B/C", GRPC_FIELDS),
    /grpc-status=12 grpc-message=unknown service a\.B/,
  ],
  [
    "a path of another form",
    frames.headers(1).request("POST", "/x", GRPC_FIELDS),
    /grpc-status=12 grpc-message=\/x is no method path/,
  ],
  ["another content-type", frames.headers(1).request("POST", path, JSON_FIELDS), /:status=415 .*grpc-status=13/],
  ["no content-type", frames.headers(1).request("POST", path, NO_FIELDS), /:status=415 .*grpc-status=13/],
  ["GET", frames.headers(1).request("GET", path, GRPC_FIELDS), /:status=405 .*grpc-status=13/],
  [
    "a timeout without a unit",
    call(1, "Unary", [["grpc-timeout", "10"]]),
    /:status=400 .*grpc-status=13 .*grpc-timeout is "10"/,
  ],
  ["a timeout of nine digits", call(1, "Unary", [["grpc-timeout", "123456789S"]]), /:status=400 .*grpc-timeout/],
  [
    "binary metadata that is no base64",
    call(1, "Unary", [["x-bin", "*"]]),
    /grpc-status=13 grpc-message=the value of metadata key "x-bin"/,
  ],
  [
    "an encoding that is not known",
    call(1, "Unary", [["grpc-encoding", "br"]]),
    /grpc-status=12 .*grpc-accept-encoding=identity/,
  ],
];

for (const [what, head, answer] of HEAD_RULES) {
  test(`${what} is refused with one block, the rest of the request is not wanted, and onRejected hears of it`, async (t) => {
    const rejected: RejectedCall[] = [];
    const { chat: _left, ...some } = echo;
    const lab = await useServer(t, (server) => server.add(Lab, some, { partial: true }), {
      server: { onRejected: (refusal) => rejected.push(refusal) },
    });
    const peer = await RawPeer.ready(lab);
    peer.send(head);
    const [refusal, ...rest] = await peer.answer(1);
    assert.match(refusal!, /^HEADERS 1 end /);
    assert.match(refusal!, answer);
    await peer.line(/^RST_STREAM 1 NO_ERROR/);
    assert.ok(rest.length <= 1);
    assert.equal(rejected.length, 1);
    assert.match(rejected[0]!.peer.address, /^127\.0\.0\.1:/);
    peer.send(call(3, "Unary"), frames.data(3, EMPTY).endStream());
    assert.match((await peer.answer(3)).at(-1)!, /grpc-status=0/, "the connection goes on");
  });
}

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

const MESSAGE_RULES: Record<string, readonly [kind: string, body: Buffer | undefined, answer: RegExp]> = {
  "no message for a unary call": ["Unary", undefined, /grpc-status=12 grpc-message=the request has no message/],
  "two messages for a unary call": ["Unary", Buffer.concat([EMPTY, EMPTY]), /grpc-status=12 .*more than one message/],
  "two messages for a download": ["Download", Buffer.concat([EMPTY, EMPTY]), /grpc-status=12 .*more than one message/],
  "a compressed flag without an encoding": [
    "Unary",
    prefixed(Buffer.alloc(0), 1),
    /grpc-status=13 .*flagged as compressed/,
  ],
  "a flag that does not exist": ["Unary", prefixed(Buffer.alloc(0), 7), /grpc-status=13 .*illegal flag 7/],
  "a message larger than allowed": [
    "Unary",
    prefixed(Buffer.alloc(0), 0, 1001),
    /grpc-status=8 .*1001 bytes is larger than the 1000 bytes/,
  ],
  "a message that ends too soon": [
    "Unary",
    prefixed(Buffer.alloc(3), 0, 10),
    /grpc-status=13 .*ended inside a message/,
  ],
  "a prefix that ends too soon": ["Unary", EMPTY.subarray(0, 3), /grpc-status=13 .*ended inside a message/],
  "octets that are no message": ["Unary", prefixed(Buffer.of(0xff, 0xff)), /grpc-status=13 .*cannot be decoded/],
  "a stream that ends inside a message": [
    "Upload",
    prefixed(Buffer.alloc(3), 0, 10),
    /grpc-status=13 .*ended inside a message/,
  ],
  "a stream with a message that is no message": [
    "Upload",
    prefixed(Buffer.of(0xff, 0xff)),
    /grpc-status=13 .*cannot be decoded/,
  ],
};

for (const [what, [kind, body, answer]] of Object.entries(MESSAGE_RULES)) {
  test(`${what} is refused, whole or cut into single octets`, async (t) => {
    const lab = await useServer(t, withHandlers({}), { server: { maxReceiveMessageBytes: 1_000 } });
    const peer = await RawPeer.ready(lab);
    if (body === undefined) {
      peer.send(call(1, kind).endStream());
      peer.send(call(3, kind), frames.data(3, "").endStream());
    } else {
      peer.send(call(1, kind), frames.data(1, body).endStream());
      const octets = [...body].map((octet) => frames.data(3, Buffer.of(octet)));
      peer.send(call(3, kind), ...octets, frames.data(3, "").endStream());
    }
    assert.match((await peer.answer(1)).at(-1)!, answer);
    assert.match((await peer.answer(3)).find((line) => line.startsWith("HEADERS"))!, answer);
  });
}

test("a message of exactly the limit is taken", async (t) => {
  const lab = await useServer(t, withHandlers({ unary: () => ({}) }), { server: { maxReceiveMessageBytes: 1_000 } });
  const peer = await RawPeer.ready(lab);
  // Field 3, bytes, 997 octets: two octets of length, one of tag.
  const message = Buffer.concat([Buffer.of(0x1a, 0xe5, 0x07), Buffer.alloc(997)]);
  assert.equal(message.length, 1_000);
  peer.send(call(1, "Unary"), frames.data(1, prefixed(message)).endStream());
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
