import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameTrace, frames } from "./frame-factory.ts";

test("§4.1 a frame is length, type, flags, stream id and payload", () => {
  assert.equal(frames.data(3, "hi").endStream().bytes().toString("hex"), "000002" + "00" + "01" + "00000003" + "6869");
  assert.equal(frames.settings([4, 7]).bytes().toString("hex"), "000006" + "04" + "00" + "00000000" + "000400000007");
  assert.equal(
    frames.raw(0xfa, 0x5, 1, Buffer.of(1)).claimLength(9).bytes().toString("hex"),
    "000009fa0500000001" + "01",
  );
});

test("§6.1 padding surrounds the payload, and may lie about its length", () => {
  assert.equal(frames.data(1, "a").padded(2).bytes().subarray(9).toString("hex"), "02610000");
  assert.equal(frames.data(1, "a").padded(0, 9).bytes().subarray(9).toString("hex"), "0961");
});

test("§6.10 a header block can be cut into CONTINUATION frames", () => {
  const trace = new FrameTrace();
  const texts = trace
    .read(frames.headers(1).request("GET", "/").endStream().continued(1, 2))
    .map((frame) => frame.text);
  assert.deepEqual(texts, [
    "HEADERS 1 end …",
    "CONTINUATION 1 …",
    "CONTINUATION 1 :method=GET :scheme=http :path=/ :authority=test",
  ]);
});

test("§6.10 a block cut nowhere is one frame", () => {
  const headers = frames.headers(1).request("GET", "/");
  assert.deepEqual(headers.continued(), headers.bytes());
});

test("a trace reads every frame type, across any cut", () => {
  const parts = [
    frames.settings([1, 2]),
    frames.settingsAck(),
    frames.ping("abcdefgh"),
    frames.goAway(5, 1, "why"),
    frames.windowUpdate(0, 9),
    frames.windowUpdate(3, 9),
    frames.rstStream(3, 8),
    frames.priority(1, 0),
    frames.headers(1).fields([["a", "b"]]),
    frames.data(1, 20).endStream(),
  ];
  const bytes = Buffer.concat([frames.preface, ...parts.map((part) => part.bytes())]);
  const trace = new FrameTrace();
  const texts = [...trace.read(bytes.subarray(0, 40)), ...trace.read(bytes.subarray(40))].map((frame) => frame.text);
  assert.deepEqual(texts, [
    "SETTINGS 1=2",
    "SETTINGS ack",
    "PING 6162636465666768",
    'GOAWAY last=5 PROTOCOL_ERROR "why"',
    "WINDOW_UPDATE +9",
    "WINDOW_UPDATE 3 +9",
    "RST_STREAM 3 CANCEL",
    "PRIORITY 1 0000000010",
    "HEADERS 1 a=b",
    "DATA 1 [20] end",
  ]);
});
