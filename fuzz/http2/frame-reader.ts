/**
 * The frame reader against a reader that has all octets at once: the same calls, however they are cut, whatever they are.
 * RFC 9113 §3.4, §4.1.
 */
import assert from "node:assert/strict";
import type { FrameSink } from "../../packages/volant/src/http2/frame-reader.ts";
import { FrameWatch } from "../../packages/volant/src/http2/frame-watch.ts";
import { resolveHttp2Options } from "../../packages/volant/src/http2/options.ts";
import type { FuzzRun, FuzzTarget } from "../target.ts";
import { type Bugs, loadCore } from "./core.ts";
import { chunksOf, damage, happens, Random, randomOctets } from "./random-source.ts";

const BUGS: Bugs = {
  "a payload of one octet is lost when its header was cut": {
    file: "frame-reader.ts",
    find: "partial.length === FRAME_HEADER_BYTES && length > 0",
    replace: "partial.length === FRAME_HEADER_BYTES && length > 1",
  },
  "octets behind a frame that was cut are skipped": {
    file: "frame-reader.ts",
    find: "    return at;\n  }\n\n  private fill",
    replace: "    return Math.min(at + 1, chunk.length);\n  }\n\n  private fill",
  },
};

export const frameReader: FuzzTarget = { name: "http2-frames", bugs: Object.keys(BUGS), start };

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const MAX_FRAME_BYTES = 16_384;
const HEADER_BYTES = 9;

/** Writes every call down. */
class CallList implements FrameSink {
  readonly calls: string[] = [];
  private left: number;

  /** It says stop at the frame after `frames` others. */
  constructor(frames: number) {
    this.left = frames;
  }

  onFrame(bytes: Buffer, start: number, length: number, type: number, flags: number, streamId: number): boolean {
    this.calls.push(`frame ${type} ${flags} ${streamId} ${bytes.toString("hex", start, start + length)}`);
    return this.left-- > 0;
  }

  onPreface(): void {
    this.calls.push("preface");
  }

  onBadPreface(firstOctets: Buffer): void {
    this.calls.push(`bad ${firstOctets.toString("hex")}`);
  }

  onOversizedFrame(length: number): void {
    this.calls.push(`oversized ${length}`);
  }
}

/** The whole rule in one function, over all octets at once. */
function expectedCalls(octets: Buffer, expectPreface: boolean, sink: CallList): void {
  let at = 0;
  if (expectPreface) {
    const seen = octets.subarray(0, PREFACE.length);
    if (!PREFACE.subarray(0, seen.length).equals(seen)) {
      if (octets.length >= 4) sink.onBadPreface(octets.subarray(0, 4));
      return;
    }
    if (seen.length < PREFACE.length) return;
    sink.onPreface();
    at = PREFACE.length;
  }
  while (octets.length - at >= HEADER_BYTES) {
    const length = octets.readUIntBE(at, 3);
    if (length > MAX_FRAME_BYTES) {
      sink.onOversizedFrame(length);
      return;
    }
    const start = at + HEADER_BYTES;
    if (octets.length < start + length) return;
    const streamId = octets.readUInt32BE(at + 5) & 0x7fff_ffff;
    if (!sink.onFrame(octets, start, length, octets[at + 3]!, octets[at + 4]!, streamId)) return;
    at = start + length;
  }
}

function randomSession(random: Random, expectPreface: boolean): Buffer {
  const parts: Buffer[] = expectPreface ? [PREFACE] : [];
  for (let count = random.below(8); count > 0; count--) {
    const length = random.pick([0, 1, 2, 8, 100, random.oneIn(4) ? MAX_FRAME_BYTES : 9]);
    const header = randomOctets(random, HEADER_BYTES);
    header.writeUIntBE(happens(random, 20) ? MAX_FRAME_BYTES + 1 : length, 0, 3);
    parts.push(header, randomOctets(random, length));
  }
  const session = Buffer.concat(parts);
  if (random.oneIn(3)) return damage(random, session);
  return random.oneIn(3) ? session.subarray(0, random.below(session.length + 1)) : session;
}

function start(bug?: string): FuzzRun {
  const { FrameReader } = loadCore(BUGS, bug).frameReader;
  const reached = { frames: 0, oversized: 0, "bad prefaces": 0 };

  const read = (octets: Buffer, chunks: Iterable<Buffer>, expectPreface: boolean, frames: number): string[] => {
    const sink = new CallList(frames);
    const watch = new FrameWatch(resolveHttp2Options());
    const reader = new FrameReader(sink, watch, MAX_FRAME_BYTES, expectPreface);
    const kept = reader as unknown as { readonly partial: Buffer | undefined };
    for (const chunk of chunks) {
      // A copy of its own: a reader that keeps a view instead of octets is found out.
      const lent = Buffer.from(chunk);
      reader.receive(lent, 0);
      lent.fill(0xaa);
      assert.ok((kept.partial?.length ?? 0) <= MAX_FRAME_BYTES + HEADER_BYTES, "more is kept than one frame");
    }
    assert.equal(reader.isPrefaceDone, !expectPreface || octets.subarray(0, PREFACE.length).equals(PREFACE));
    return sink.calls;
  };

  return {
    execute(seed) {
      const random = new Random(seed);
      const expectPreface = random.oneIn(2);
      const octets = randomSession(random, expectPreface);
      const frames = random.oneIn(4) ? random.below(4) : Number.POSITIVE_INFINITY;
      const expected = new CallList(frames);
      expectedCalls(octets, expectPreface, expected);
      for (const call of expected.calls) {
        if (call.startsWith("frame")) reached.frames++;
        else if (call.startsWith("over")) reached.oversized++;
        else if (call.startsWith("bad")) reached["bad prefaces"]++;
      }
      assert.deepEqual(read(octets, [octets], expectPreface, frames), expected.calls, "as one chunk");
      const bytewise = octets.length < 400 && random.oneIn(2);
      assert.deepEqual(
        read(octets, chunksOf(random, octets, bytewise), expectPreface, frames),
        expected.calls,
        bytewise ? "octet by octet" : "in chunks",
      );
    },
    reached: () => reached,
  };
}
