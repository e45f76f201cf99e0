// Owns: that each flood is what its name says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameTrace } from "../../packages/volant/src/testing/frame-factory.ts";
import { createFlood, FLOODS, type Flood, type FloodName } from "./flood-frames.ts";
import { createPatientFlood } from "./patient-frames.ts";

function firstBody({ createBodies }: Flood): Buffer {
  return createBodies()()!;
}

function countFrames(octets: Buffer): number {
  let frames = 0;
  for (let at = 0; at < octets.length; at += 9 + octets.readUIntBE(at, 3)) frames++;
  return frames;
}

/** Frame types and streams of the body, without repetitions in a row. */
function describeBody(name: FloodName, count: number): string[] {
  const { opening } = createFlood(name);
  const body = firstBody(createFlood(name));
  const trace = new FrameTrace();
  trace.read(opening);
  const typical = name === "CONTINUATION" ? [] : trace.read(body.subarray(0, 4_096));
  return typical.slice(0, count).map(({ text }) => text.split(" ").slice(0, 2).join(" "));
}

test("a flood's body has the number of frames that is counted", () => {
  for (const name of FLOODS) {
    for (const flood of [createFlood(name), createPatientFlood(name)]) {
      assert.equal(countFrames(firstBody(flood)), flood.framesInBody, name);
    }
  }
});

test("rapid reset sends whole calls on new streams and cancels each", () => {
  assert.deepEqual(describeBody("rapid reset", 4), ["HEADERS 1", "DATA 1", "RST_STREAM 1", "HEADERS 3"]);
});

test("floods of one kind of frame repeat that frame", () => {
  assert.deepEqual(describeBody("SETTINGS", 1), ["SETTINGS 4=65535"]);
  assert.deepEqual(describeBody("empty DATA", 2), ["DATA 1", "DATA 1"]);
  assert.equal(firstBody(createFlood("empty DATA")).readUIntBE(0, 3), 0);
  assert.equal(firstBody(createFlood("DATA of one octet")).readUIntBE(0, 3), 1);
});

test("a block of CONTINUATION frames is begun and never ended", () => {
  const { opening } = createFlood("CONTINUATION");
  const body = firstBody(createFlood("CONTINUATION"));
  const headers = new FrameTrace().read(opening).at(-1);
  assert.deepEqual([headers?.type, headers && headers.flags & 0x4], [0x1, 0]);
  assert.deepEqual([body[3], body[4]], [0x9, 0]);
});

test("a body of calls uses new streams each time, on each connection from the first", () => {
  const { createBodies } = createPatientFlood("rapid reset");
  for (const nextBody of [createBodies(), createBodies()]) {
    const streams = [nextBody(), nextBody()].map(
      (body) => new Set(new FrameTrace().read(body!).map(({ text }) => text.split(" ")[1])),
    );
    assert.deepEqual(
      [streams[0]!.has("1"), streams[0]!.size, streams[1]!.has("1"), streams[1]!.size],
      [true, 30, false, 30],
    );
    assert.deepEqual(
      [...streams[0]!].filter((id) => streams[1]!.has(id)),
      [],
    );
  }
});
