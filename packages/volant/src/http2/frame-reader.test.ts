import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { FrameWatch } from "./frame-watch.ts";
import { resolveHttp2Options } from "./options.ts";
import { CLIENT_PREFACE } from "./preface.ts";

const watch = new FrameWatch(resolveHttp2Options());

class Recorder implements FrameSink {
  readonly lines: string[] = [];
  readonly buffers: Buffer[] = [];
  mayGoOn = true;

  onFrame(bytes: Buffer, start: number, length: number, type: number, flags: number, streamId: number): boolean {
    this.lines.push(`${type}/${flags}/${streamId}:${bytes.toString("latin1", start, start + length)}`);
    this.buffers.push(bytes);
    return this.mayGoOn;
  }

  onPreface(): void {
    this.lines.push("preface");
  }

  onBadPreface(firstOctets: Buffer): void {
    this.lines.push(`bad:${firstOctets.toString("latin1")}`);
  }

  onOversizedFrame(length: number): void {
    this.lines.push(`oversized:${length}`);
  }
}

const frame = (payload: string, type = 6) =>
  Buffer.concat([Buffer.of(0, 0, payload.length, type, 5, 0x80, 0, 0, 9), Buffer.from(payload, "latin1")]);

test("§4.1 whole frames are handed on in place, without a copy", () => {
  const sink = new Recorder();
  const chunk = Buffer.concat([frame("one"), frame(""), frame("three")]);
  new FrameReader(sink, watch, 100, false).receive(chunk, 0);
  assert.deepEqual(sink.lines, ["6/5/9:one", "6/5/9:", "6/5/9:three"]);
  assert.ok(sink.buffers.every((bytes) => bytes === chunk));
});

test("§4.1 every single cut of a few frames gives the same calls", () => {
  const octets = Buffer.concat([CLIENT_PREFACE, frame("one"), frame(""), frame("three")]);
  for (let first = 0; first <= octets.length; first++) {
    for (let second = first; second <= octets.length; second++) {
      const sink = new Recorder();
      const reader = new FrameReader(sink, watch, 100, true);
      for (const part of [octets.subarray(0, first), octets.subarray(first, second), octets.subarray(second)])
        reader.receive(part, 0);
      assert.deepEqual(sink.lines, ["preface", "6/5/9:one", "6/5/9:", "6/5/9:three"]);
    }
  }
});

test("§4.2 a frame longer than allowed is refused by its header, in any chunks, and nothing is read after it", () => {
  for (const chunkBytes of [1, 4, 9, 100]) {
    const sink = new Recorder();
    const reader = new FrameReader(sink, watch, 4, false);
    const octets = Buffer.concat([frame("four"), frame("fives").subarray(0, 9), frame("x")]);
    for (let at = 0; at < octets.length; at += chunkBytes) reader.receive(octets.subarray(at, at + chunkBytes), 0);
    assert.deepEqual(sink.lines, ["6/5/9:four", "oversized:5"]);
  }
});

test("a sink that says no hears nothing more, wherever the frame came from", () => {
  for (const cut of [0, 5, 11]) {
    const sink = new Recorder();
    sink.mayGoOn = false;
    const reader = new FrameReader(sink, watch, 100, false);
    const octets = Buffer.concat([frame("a"), frame("b")]);
    reader.receive(octets.subarray(0, cut), 0);
    reader.receive(octets.subarray(cut), 0);
    reader.receive(frame("c"), 0);
    assert.deepEqual(sink.lines, ["6/5/9:a"]);
  }
});

test("§3.4 what is not the preface is shown by its first four octets, however it is cut", () => {
  for (const octets of ["GET / HTTP/1.1", "POST /", "PRI * HTTP/1.1\r\n", "XXXXX"]) {
    for (const chunkBytes of [1, 2, 3, 100]) {
      const sink = new Recorder();
      const reader = new FrameReader(sink, watch, 100, true);
      for (let at = 0; at < octets.length; at += chunkBytes) {
        reader.receive(Buffer.from(octets.slice(at, at + chunkBytes), "latin1"), 0);
      }
      assert.deepEqual(sink.lines, [`bad:${octets.slice(0, 4)}`]);
    }
  }
});
