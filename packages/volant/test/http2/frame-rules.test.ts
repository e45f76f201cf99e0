import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../src/http2/options.ts";
import { CoreUnderTest } from "../../src/testing/connection-pair.ts";
import { type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";

/** A core with stream 1 open, from the peer or from us. */
function withStream(role: Role): CoreUnderTest {
  const core = CoreUnderTest.ready(role);
  if (role === "server") core.receive(frames.headers(1).request("POST", "/"));
  else core.http2.sendHeaders(core.http2.openStream(), [], false);
  core.sent();
  core.events();
  return core;
}

const octets = (count: number) => Buffer.alloc(count);

const CONNECTION_ERRORS: readonly (readonly [section: string, name: string, frame: FrameBuilder, fault: string])[] = [
  ["§6.1", "DATA on stream 0", frames.data(0, "a"), "PROTOCOL_ERROR data-on-stream-0"],
  [
    "§6.1",
    "DATA padded as long as its payload",
    frames.data(1, "abc").padded(0, 4),
    "PROTOCOL_ERROR data-padding-too-long",
  ],
  ["§4.2", "padded DATA without room for its pad length", frames.raw(0, 8, 1), "FRAME_SIZE_ERROR data-too-short"],
  ["§5.1", "DATA on an idle stream", frames.data(3, "a"), "PROTOCOL_ERROR frame-on-idle-stream"],
  ["§6.2", "HEADERS on stream 0", frames.headers(0).request("GET", "/"), "PROTOCOL_ERROR headers-on-stream-0"],
  [
    "§6.2",
    "HEADERS padded too long",
    frames.raw(1, 0xc, 3, Buffer.of(2, 0x82)),
    "PROTOCOL_ERROR headers-padding-too-long",
  ],
  [
    "§4.2",
    "HEADERS without room for its priority",
    frames.raw(1, 0x24, 3, octets(4)),
    "FRAME_SIZE_ERROR headers-too-short",
  ],
  [
    "§6.2",
    "HEADERS whose padding reaches into its priority",
    frames.raw(1, 0x2c, 3, Buffer.of(3, 0, 0, 0, 0, 0, 0)),
    "PROTOCOL_ERROR headers-padding-too-long",
  ],
  ["§6.3", "PRIORITY on stream 0", frames.priority(0, 1), "PROTOCOL_ERROR priority-on-stream-0"],
  [
    "§6.3",
    "PRIORITY of 4 octets on an idle stream",
    frames.raw(2, 0, 9, octets(4)),
    "FRAME_SIZE_ERROR priority-length",
  ],
  ["§6.4", "RST_STREAM on stream 0", frames.rstStream(0, 8), "PROTOCOL_ERROR rst-stream-on-stream-0"],
  ["§6.4", "RST_STREAM of 3 octets", frames.raw(3, 0, 1, octets(3)), "FRAME_SIZE_ERROR rst-stream-length"],
  ["§6.4", "RST_STREAM on an idle stream", frames.rstStream(3, 8), "PROTOCOL_ERROR frame-on-idle-stream"],
  ["§6.5", "SETTINGS on a stream", frames.raw(4, 0, 1), "PROTOCOL_ERROR settings-on-a-stream"],
  ["§6.5", "SETTINGS of 5 octets", frames.raw(4, 0, 0, octets(5)), "FRAME_SIZE_ERROR settings-length"],
  [
    "§6.5",
    "an acknowledgement with a payload",
    frames.raw(4, 1, 0, octets(6)),
    "FRAME_SIZE_ERROR settings-ack-with-payload",
  ],
  ["§6.6", "PUSH_PROMISE", frames.pushPromise(1, 2), "PROTOCOL_ERROR push-promise-received"],
  ["§6.7", "PING on a stream", frames.raw(6, 0, 1, octets(8)), "PROTOCOL_ERROR ping-on-a-stream"],
  ["§6.7", "PING of 7 octets", frames.raw(6, 0, 0, octets(7)), "FRAME_SIZE_ERROR ping-length"],
  ["§6.7", "a PING acknowledgement of 9 octets", frames.raw(6, 1, 0, octets(9)), "FRAME_SIZE_ERROR ping-length"],
  ["§6.8", "GOAWAY on a stream", frames.raw(7, 0, 1, octets(8)), "PROTOCOL_ERROR goaway-on-a-stream"],
  ["§6.8", "GOAWAY of 7 octets", frames.raw(7, 0, 0, octets(7)), "FRAME_SIZE_ERROR goaway-length"],
  ["§6.9", "WINDOW_UPDATE of 5 octets", frames.raw(8, 0, 0, octets(5)), "FRAME_SIZE_ERROR window-update-length"],
  [
    "§6.9",
    "a connection WINDOW_UPDATE of 0",
    frames.windowUpdate(0, 0),
    "PROTOCOL_ERROR window-update-zero-on-connection",
  ],
  ["§5.1", "WINDOW_UPDATE on an idle stream", frames.windowUpdate(3, 1), "PROTOCOL_ERROR frame-on-idle-stream"],
  ["§5.1", "a WINDOW_UPDATE of 0 on an idle stream", frames.windowUpdate(3, 0), "PROTOCOL_ERROR frame-on-idle-stream"],
  [
    "§6.10",
    "CONTINUATION without HEADERS",
    frames.continuation(1, octets(1)),
    "PROTOCOL_ERROR continuation-without-headers",
  ],
];

for (const [section, name, frame, fault] of CONNECTION_ERRORS) {
  for (const role of ["server", "client"] as const) {
    test(`${section} ${name} ends the connection of a ${role} with its reason, and nothing is read after it`, () => {
      const core = withStream(role).receive(frame, frames.ping(), frames.rstStream(1, 8));
      const [code, cause] = fault.split(" ");
      assert.deepEqual(core.events(), [`closed ${fault} library`]);
      assert.deepEqual(core.sent(), [`GOAWAY last=${role === "server" ? 1 : 0} ${code} "${cause}"`]);
      assert.equal(core.http2.faultCounts.get(cause!), 1);
      core.receive(frames.ping());
      assert.deepEqual([core.events(), core.sent()], [[], []]);
    });
  }
}

const STREAM_ERRORS: readonly (readonly [section: string, name: string, frame: FrameBuilder, fault: string])[] = [
  ["§6.3", "PRIORITY of 4 octets", frames.raw(2, 0, 1, octets(4)), "FRAME_SIZE_ERROR priority-length"],
  [
    "RFC 7540 §5.3.1",
    "PRIORITY that depends on itself",
    frames.priority(1, 1),
    "PROTOCOL_ERROR priority-depends-on-itself",
  ],
  ["§6.9", "a stream WINDOW_UPDATE of 0", frames.windowUpdate(1, 0), "PROTOCOL_ERROR window-update-zero-on-stream"],
  [
    "§6.9.1",
    "a stream WINDOW_UPDATE beyond 2^31-1",
    frames.windowUpdate(1, 0x7fff_ffff),
    "FLOW_CONTROL_ERROR stream-window-overflow",
  ],
];

for (const [section, name, frame, fault] of STREAM_ERRORS) {
  for (const role of ["server", "client"] as const) {
    test(`${section} ${name} ends its stream on a ${role}, and the connection goes on`, () => {
      const core = withStream(role).receive(frame, frames.ping());
      const [code, cause] = fault.split(" ");
      assert.deepEqual(core.events(), [`reset 1 ${code} library`]);
      assert.deepEqual(core.sent(), [`RST_STREAM 1 ${code}`, "PING 3132333435363738 ack"]);
      assert.equal(core.http2.faultCounts.get(cause!), 1);
      assert.equal(core.http2.streamCount, 0);
    });
  }
}

test("RFC 7540 §5.3.1 HEADERS that depend on themselves refuse their stream, after decoding", () => {
  const core = CoreUnderTest.ready("server");
  core.receive(
    frames.headers(1).request("GET", "/").priority(1),
    frames.headers(3).request("GET", "/").priority(1).endStream(),
  );
  assert.deepEqual(core.sent(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
  assert.deepEqual(core.events(), ["headers 3 end :method=GET :scheme=http :path=/ :authority=test"]);
});

test("§6.3 a PRIORITY that breaks no rule is ignored, on streams in every state", () => {
  const core = withStream("server").receive(frames.priority(1, 0), frames.priority(99, 1), frames.rstStream(1, 8));
  core.receive(frames.priority(1, 3));
  assert.deepEqual(core.events(), ["reset 1 CANCEL remote"]);
  assert.deepEqual(core.sent(), []);
});

test("§5.5 frames of unknown type are ignored on any stream", () => {
  const core = withStream("server");
  for (let type = 0xa; type <= 0xff; type++) core.receive(frames.raw(type, 0xff, type & 3, octets(type & 7)));
  assert.deepEqual([core.events(), core.sent()], [[], []]);
  assert.equal(core.http2.faultCounts.get("unknown-frame"), 0x100 - 0xa);
});

test("§4.1 undefined flags and the reserved bit of a stream id are ignored", () => {
  const core = withStream("server").receive(frames.data(1, "a").flag(0xf6), frames.ping().flag(0xfe));
  assert.deepEqual(core.events(), ['data 1 "a"']);
  assert.equal(core.sent().length, 1);
  const reserved = frames.data(1, "b").bytes();
  reserved[5] = 0x80;
  assert.deepEqual(core.receive(reserved).events(), ['data 1 "b"']);
});

test("§6.1 padding is taken off, and its window returned without anybody's help", () => {
  const core = withStream("server").receive(frames.data(1, "a").padded(255), frames.data(1, "").padded(0));
  assert.deepEqual(core.events(), ['data 1 "a"'], "nobody hears of a frame without octets and without end");
  assert.equal(core.stream(1).receiveWindow.held, 1);
  assert.equal(core.http2.windows.held, 1);
});

test("§6.2 padding and priority fields are taken off HEADERS", () => {
  const core = CoreUnderTest.ready("server");
  core.receive(frames.headers(1).request("GET", "/").priority(0).padded(7).endStream());
  assert.deepEqual(core.events(), ["headers 1 end :method=GET :scheme=http :path=/ :authority=test"]);
});
