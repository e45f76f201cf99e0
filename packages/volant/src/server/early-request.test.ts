import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EarlyRequest, type RequestReceiver } from "./early-request.ts";

/** What a receiver got: the octets of each call, the memory behind them, and END in the place of the end. */
class Recorder implements RequestReceiver {
  readonly got: string[] = [];
  heldBytes = 0;

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    assert.equal(endStream, false);
    this.got.push(bytes.toString("hex", start, end));
    this.heldBytes += bytes.length;
  }

  onHalfClose(): void {
    this.got.push("END");
  }
}

test("a request in frames of one octet is held in one piece, in at most twice its size", () => {
  const early = new EarlyRequest();
  const octets = Buffer.from(Array.from({ length: 65_535 }, (_, at) => at % 251));
  for (let at = 0; at < octets.length; at++) early.keep(octets, at, at + 1);
  const recorder = new Recorder();
  early.replayTo(recorder);
  assert.equal(recorder.got.length, 1);
  assert.equal(recorder.got[0], octets.toString("hex"));
  assert.ok(recorder.heldBytes <= 2 * octets.length, `${recorder.heldBytes} octets for ${octets.length}`);
});

test("whatever the frames, what is replayed is what came, once, the end behind it, and shares no memory with them", () => {
  const anyFrames = fc.array(fc.uint8Array({ maxLength: 1_000 }), { maxLength: 20 });
  fc.assert(
    fc.property(anyFrames, fc.boolean(), fc.nat(7), (frames, isComplete, offset) => {
      const early = new EarlyRequest();
      const all = Buffer.concat(frames).toString("hex");
      for (const frame of frames) {
        const read = Buffer.concat([Buffer.alloc(offset, 0xee), frame, Buffer.alloc(offset, 0xee)]);
        early.keep(read, offset, offset + frame.length);
        read.fill(0xdd);
      }
      if (isComplete) early.complete();
      const recorder = new Recorder();
      early.replayTo(recorder);
      assert.deepEqual(recorder.got, [...(all === "" ? [] : [all]), ...(isComplete ? ["END"] : [])]);
    }),
  );
});
