// Owns: that each flood is what its name says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameTrace } from "../../packages/volant/src/testing/frame-factory.ts";
import { createFlood, FLOODS, type FloodName } from "./flood-frames.ts";

/** Frame types and streams of the body, without repetitions in a row. */
function describeBody(name: FloodName, count: number): string[] {
  const { opening, body } = createFlood(name);
  const trace = new FrameTrace();
  trace.read(opening);
  const typical = name === "CONTINUATION" ? [] : trace.read(body.subarray(0, 4_096));
  return typical.slice(0, count).map(({ text }) => text.split(" ").slice(0, 2).join(" "));
}

test("a flood's body has the number of frames that is counted", () => {
  for (const name of FLOODS) {
    const { body, framesInBody } = createFlood(name);
    let frames = 0;
    for (let at = 0; at < body.length; at += 9 + body.readUIntBE(at, 3)) frames++;
    assert.equal(frames, framesInBody, name);
  }
});

test("rapid reset sends whole calls on new streams and cancels each", () => {
  assert.deepEqual(describeBody("rapid reset", 4), ["HEADERS 1", "DATA 1", "RST_STREAM 1", "HEADERS 3"]);
});

test("floods of one kind of frame repeat that frame", () => {
  assert.deepEqual(describeBody("SETTINGS", 1), ["SETTINGS 4=65535"]);
  assert.deepEqual(describeBody("empty DATA", 2), ["DATA 1", "DATA 1"]);
  assert.equal(createFlood("empty DATA").body.readUIntBE(0, 3), 0);
  assert.equal(createFlood("DATA of one octet").body.readUIntBE(0, 3), 1);
});

test("a block of CONTINUATION frames is begun and never ended", () => {
  const { opening, body } = createFlood("CONTINUATION");
  const headers = new FrameTrace().read(opening).at(-1);
  assert.deepEqual([headers?.type, headers && headers.flags & 0x4], [0x1, 0]);
  assert.deepEqual([body[3], body[4]], [0x9, 0]);
});
