/** Rules for what we send ourselves, whatever the peer does: RFC 9113 §4.1, §6.4; and for hosts that disagree: §8.3.1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameFlag, FrameType } from "../../src/http2/frame-type.ts";
import type { Role } from "../../src/http2/options.ts";
import type { OutboundBlock } from "../../src/http2/stream.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { FrameTrace, frames, type SentFrame } from "../../src/testing/frame-factory.ts";

const { ACK, END_STREAM, END_HEADERS } = FrameFlag;
/** RFC 9113 §6: what each type defines, without padding and priorities, which we never send. */
const DEFINED: Readonly<Record<number, number>> = {
  [FrameType.DATA]: END_STREAM,
  [FrameType.HEADERS]: END_STREAM | END_HEADERS,
  [FrameType.RST_STREAM]: 0,
  [FrameType.SETTINGS]: ACK,
  [FrameType.PING]: ACK,
  [FrameType.GOAWAY]: 0,
  [FrameType.WINDOW_UPDATE]: 0,
  [FrameType.CONTINUATION]: END_HEADERS,
};

const field = (name: string, value: string) => ({ name, value, indexing: 0 }) as const;
const REQUEST: OutboundBlock = [field(":method", "POST"), field(":scheme", "http"), field(":path", "/")];
const LARGE: OutboundBlock = [field("x-large", "v".repeat(40_000))];

/** A session in which that role sends a frame of every type that it has. */
function everythingSent(role: Role): SentFrame[] {
  const core = new CoreUnderTest(role);
  const trace = new FrameTrace();
  const sent: SentFrame[] = [];
  const take = (): void => {
    for (let octets = core.sentBytes(); octets.length > 0; octets = core.sentBytes()) sent.push(...trace.read(octets));
  };
  const { http2 } = core;
  if (role === "server") core.receive(frames.preface);
  core.receive(frames.settings([0x4, 1_000_000], [0x6, 100_000]), frames.settingsAck(), frames.ping());
  const streams = [1, 3, 5].map((id) => {
    if (role === "client") return http2.openStream();
    core.receive(frames.headers(id).request("POST", "/"));
    return core.stream(id);
  });
  const [ended, trailed, reset] = streams;
  for (const stream of streams)
    http2.sendHeaders(stream, role === "client" ? REQUEST : [field(":status", "200")], false);
  if (role === "client") core.receive(frames.headers(1).response(200));
  core.receive(frames.data(1, 16_000), frames.data(1, 16_000), frames.data(1, 16_000));
  http2.consume(ended!, 48_000);
  http2.sendData(ended!, Buffer.alloc(40_000), true);
  http2.sendData(trailed!, Buffer.alloc(5), false);
  http2.sendTrailers(trailed!, LARGE);
  http2.resetStream(reset!, 8);
  http2.sendPing(1);
  take();
  core.receive(frames.raw(FrameType.DATA, 0, 0));
  take();
  return sent;
}

for (const role of ["server", "client"] as const) {
  test(`§4.1 a frame is length, type, flags and stream id, and a ${role} sets no flag without a meaning`, () => {
    const sent = everythingSent(role);
    const types = new Set(sent.map(({ type }) => type));
    const missing = Object.keys(DEFINED).filter((type) => !types.has(Number(type)));
    assert.deepEqual(missing, [], "types that were not sent");
    for (const { type, flags, text } of sent) {
      assert.ok(type in DEFINED, `${text}: a type that we never send`);
      assert.equal(flags & ~DEFINED[type]!, 0, `${text}: flags 0x${flags.toString(16)}`);
    }
  });

  test(`§4.1 a ${role} sends the reserved bit of a stream id unset`, () => {
    const core = new CoreUnderTest(role);
    if (role === "server") core.receive(frames.preface);
    core.receive(frames.settings(), frames.ping(), frames.raw(FrameType.PING, 0, 1, Buffer.alloc(8)));
    const octets = core.sentBytes();
    let at = role === "client" ? frames.preface.length : 0;
    let count = 0;
    for (; at < octets.length; at += 9 + octets.readUIntBE(at, 3)) {
      assert.equal(octets[at + 5]! & 0x80, 0);
      count++;
    }
    assert.ok(count >= 4, `${count} frames`);
  });
}

test("§6.4 an idle stream is not reset: giving up a stream that has not begun sends nothing", () => {
  const client = CoreUnderTest.ready("client");
  const first = client.http2.openStream();
  client.http2.resetStream(first, 8);
  assert.deepEqual(client.sent(), []);
  const second = client.http2.openStream();
  client.http2.sendHeaders(second, REQUEST, true);
  assert.deepEqual(client.sent(), [`HEADERS ${second.id} end :method=POST :scheme=http :path=/`]);
  client.http2.resetStream(second, 8);
  assert.deepEqual(client.sent(), [`RST_STREAM ${second.id} CANCEL`]);
});

const HOSTS: readonly (readonly [host: string, isTaken: boolean])[] = [
  ["test", true],
  ["TEST", true],
  ["other", false],
  ["test:80", false],
  ["", false],
];
for (const [host, isTaken] of HOSTS) {
  test(`§8.3.1 Host "${host}" beside :authority "test" is ${isTaken ? "the same" : "malformed"}`, () => {
    const server = CoreUnderTest.ready("server").receive(frames.headers(1).request("POST", "/", [["host", host]]));
    assert.deepEqual(server.sent(), isTaken ? [] : ["RST_STREAM 1 PROTOCOL_ERROR"]);
    assert.equal(server.events().length, isTaken ? 1 : 0);
  });
}
