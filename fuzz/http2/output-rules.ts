/**
 * What a core may send, whatever it received: frames in a legal order, within the sizes and windows that the peer gave.
 * Owns the peer's count of these. RFC 9113 §3.4, §4.2, §5.1, §6.8, §6.9, §6.10.
 */
import assert from "node:assert/strict";
import { FrameFlag, FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import type { FrameTrace, SentFrame } from "../../packages/volant/src/testing/frame-factory.ts";

const WINDOW = 65_535;
const MAX_FRAME_BYTES = 16_384;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;

export class OutputRules {
  private readonly trace: FrameTrace;
  private isOpened = false;
  private blockOf = 0;
  private lastStreamId = Number.POSITIVE_INFINITY;
  /** Streams that the core ended with a flag, and those that it reset. */
  private readonly ended = new Set<number>();
  private readonly reset = new Set<number>();
  /** The most that the peer may have allowed at any time: it is never told when the core acts on what. */
  private largestFrame = MAX_FRAME_BYTES;
  private largestInitial = WINDOW;
  private readonly credits = new Map<number, number>([[0, WINDOW]]);
  private readonly spent = new Map<number, number>();

  constructor(trace: FrameTrace) {
    this.trace = trace;
  }

  /** A frame that the peer sends to the core. */
  peerSends(bytes: Buffer, start: number, length: number, type: number, streamId: number): void {
    if (type === FrameType.WINDOW_UPDATE && length === 4) {
      add(this.credits, streamId, bytes.readUInt32BE(start) & 0x7fff_ffff);
    } else if (type === FrameType.SETTINGS) {
      for (let at = start; at + 6 <= start + length; at += 6)
        this.peerSets(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
    }
  }

  private peerSets(id: number, value: number): void {
    if (id === INITIAL_WINDOW_SIZE) this.largestInitial = Math.max(this.largestInitial, value);
    if (id === MAX_FRAME_SIZE) this.largestFrame = Math.max(this.largestFrame, value);
  }

  /** Throws where what the core sent breaks a rule. */
  coreSends(octets: Buffer): void {
    for (const frame of this.trace.read(octets)) this.check(frame);
  }

  private check(frame: SentFrame): void {
    const { type, flags, streamId, payload, text } = frame;
    const isEnd = (type === FrameType.DATA || type === FrameType.HEADERS) && (flags & FrameFlag.END_STREAM) !== 0;
    if (!this.isOpened) assert.ok(type === FrameType.SETTINGS && (flags & FrameFlag.ACK) === 0, `${text} comes first`);
    this.isOpened = true;
    assert.ok(payload.length <= this.largestFrame, `${text} is larger than the peer takes`);
    this.checkBlock(frame);
    if (streamId !== 0) {
      assert.ok(!this.reset.has(streamId), `${text} on a stream that was reset`);
      const mayFollow =
        type === FrameType.RST_STREAM || type === FrameType.WINDOW_UPDATE || type === FrameType.CONTINUATION;
      assert.ok(mayFollow || !this.ended.has(streamId), `${text} on a stream that has ended`);
    }
    if (type === FrameType.DATA) this.checkWindows(streamId, payload.length, text);
    if (type === FrameType.WINDOW_UPDATE) assert.ok(payload.readUInt32BE() > 0, `${text} says nothing`);
    if (type === FrameType.GOAWAY) this.checkGoAway(payload.readUInt32BE(), text);
    if (type === FrameType.RST_STREAM) this.reset.add(streamId);
    if (isEnd) this.ended.add(streamId);
  }

  private checkBlock({ type, flags, streamId, text }: SentFrame): void {
    const isContinuation = type === FrameType.CONTINUATION;
    assert.equal(isContinuation ? streamId : 0, this.blockOf, `${text} inside a header block`);
    if (type !== FrameType.HEADERS && !isContinuation) return;
    this.blockOf = (flags & FrameFlag.END_HEADERS) === 0 ? streamId : 0;
  }

  private checkWindows(streamId: number, length: number, text: string): void {
    const total = add(this.spent, 0, length);
    assert.ok(total <= this.credits.get(0)!, `${text} exceeds the connection's window`);
    const ofStream = add(this.spent, streamId, length);
    assert.ok(ofStream <= this.largestInitial + (this.credits.get(streamId) ?? 0), `${text} exceeds its window`);
  }

  private checkGoAway(lastStreamId: number, text: string): void {
    assert.ok(lastStreamId <= this.lastStreamId, `${text} names more streams than the one before`);
    this.lastStreamId = lastStreamId;
  }
}

function add(map: Map<number, number>, key: number, count: number): number {
  const sum = (map.get(key) ?? 0) + count;
  map.set(key, sum);
  return sum;
}
