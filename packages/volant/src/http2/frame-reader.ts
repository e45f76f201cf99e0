/**
 * Frames out of chunks. Owns reassembly: frames that are whole in a chunk are handed on in place, only an incomplete
 * tail is copied, into a buffer of exactly that frame. Owns the check of the client preface too. RFC 9113 §3.4, §4.1.
 *
 * Invariant: any chunking of the same octets gives the same calls.
 */
import { FRAME_HEADER_BYTES, FrameType } from "./frame-type.ts";
import type { FrameWatch } from "./frame-watch.ts";
import { readPayloadLength, readStreamId } from "./frames/frame-header.ts";
import { CLIENT_PREFACE } from "./preface.ts";

/** Where the type stands in a frame header. */
const TYPE_AT = 3;
/** Enough to tell an HTTP/1.1 method from noise. */
const STRANGER_BYTES = 4;
/** The length field stands first. */
const LENGTH_BYTES = 3;

/** What the reader hands on. Every method says whether reading may go on. */
export interface FrameSink {
  onFrame(bytes: Buffer, start: number, length: number, type: number, flags: number, streamId: number): boolean;
  /** The client preface is complete; frames follow. */
  onPreface(): void;
  /** Called with the first four octets of what is not the preface. */
  onBadPreface(firstOctets: Buffer): void;
  /** The length field exceeds SETTINGS_MAX_FRAME_SIZE. */
  onOversizedFrame(length: number): void;
}

export class FrameReader {
  private readonly sink: FrameSink;
  private readonly watch: FrameWatch;
  private readonly maxFrameBytes: number;
  /** Octets of the preface still expected. */
  private prefaceLeft: number;
  /** The first octets of what is not the preface, until there are enough to say what it is instead. */
  private stranger: Buffer | undefined;
  private partial: Buffer | undefined;
  private partialLength = 0;
  private dead = false;

  /** `watch` hears of frames that are not complete. */
  constructor(sink: FrameSink, watch: FrameWatch, maxFrameBytes: number, expectPreface: boolean) {
    this.sink = sink;
    this.watch = watch;
    this.maxFrameBytes = maxFrameBytes;
    this.prefaceLeft = expectPreface ? CLIENT_PREFACE.length : 0;
  }

  get isPrefaceDone(): boolean {
    return this.prefaceLeft === 0;
  }

  /** Octets that are here of an incomplete DATA frame of that stream. */
  heldDataOf(streamId: number): number {
    const { partial, partialLength } = this;
    if (partial === undefined || partialLength < FRAME_HEADER_BYTES || partial[TYPE_AT] !== FrameType.DATA) return 0;
    return readStreamId(partial, 5) === streamId ? partialLength - FRAME_HEADER_BYTES : 0;
  }

  receive(chunk: Buffer, nowMs: number): void {
    if (this.dead) return;
    let at = this.prefaceLeft === 0 ? 0 : this.readPreface(chunk);
    if (at < 0) return;
    if (this.partial !== undefined) {
      at = this.completePartial(chunk, at);
      if (at < 0) {
        if (this.partial !== undefined) this.watch.grow(this.partialLength, this.partialType, nowMs);
        return;
      }
      this.watch.end();
    }
    this.readWhole(chunk, at);
    if (this.partial !== undefined) this.watch.begin(this.partialLength, this.partialType, nowMs);
  }

  /** The length that an unfinished frame begins with; -1 where there are not so many octets. */
  get unfinishedLength(): number {
    return this.partial === undefined || this.partialLength < LENGTH_BYTES ? -1 : readPayloadLength(this.partial, 0);
  }

  /** No further octet is looked at. */
  stop(): void {
    this.dead = true;
    this.partial = undefined;
  }

  /** -1 while its octet is not here. */
  private get partialType(): number {
    return this.partialLength > TYPE_AT ? this.partial![TYPE_AT]! : -1;
  }

  private readPreface(chunk: Buffer): number {
    const from = CLIENT_PREFACE.length - this.prefaceLeft;
    const count = Math.min(this.prefaceLeft, chunk.length);
    if (this.stranger !== undefined || CLIENT_PREFACE.compare(chunk, 0, count, from, from + count) !== 0) {
      return this.readStranger(this.stranger ?? CLIENT_PREFACE.subarray(0, from), chunk);
    }
    this.prefaceLeft -= count;
    if (this.prefaceLeft === 0) this.sink.onPreface();
    return count;
  }

  private readStranger(seen: Buffer, chunk: Buffer): number {
    this.stranger = Buffer.concat([seen, chunk.subarray(0, STRANGER_BYTES)]).subarray(0, STRANGER_BYTES);
    if (this.stranger.length < STRANGER_BYTES) return -1;
    this.stop();
    this.sink.onBadPreface(this.stranger);
    return -1;
  }

  private readWhole(chunk: Buffer, from: number): void {
    let at = from;
    const end = chunk.length;
    while (end - at >= FRAME_HEADER_BYTES) {
      const length = readPayloadLength(chunk, at);
      if (length > this.maxFrameBytes) {
        this.refuseOversized(length);
        return;
      }
      const start = at + FRAME_HEADER_BYTES;
      if (start + length > end) break;
      if (!this.sink.onFrame(chunk, start, length, chunk[at + 3]!, chunk[at + 4]!, readStreamId(chunk, at + 5))) {
        this.stop();
        return;
      }
      at = start + length;
    }
    if (at < end) this.keepTail(chunk, at);
  }

  private keepTail(chunk: Buffer, at: number): void {
    const count = chunk.length - at;
    const whole = count >= FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES + readPayloadLength(chunk, at) : FRAME_HEADER_BYTES;
    this.partial = Buffer.allocUnsafe(whole);
    this.partialLength = chunk.copy(this.partial, 0, at, at + count);
  }

  /** Fills the partial frame from `chunk`; the result is where the next frame starts, -1 where there is none yet. */
  private completePartial(chunk: Buffer, from: number): number {
    let at = this.fill(chunk, from);
    if (this.partialLength < FRAME_HEADER_BYTES) return -1;
    const partial = this.partial!;
    const length = readPayloadLength(partial, 0);
    if (partial.length === FRAME_HEADER_BYTES && length > 0) {
      if (length > this.maxFrameBytes) {
        this.refuseOversized(length);
        return -1;
      }
      this.partial = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
      partial.copy(this.partial, 0, 0, FRAME_HEADER_BYTES);
      at = this.fill(chunk, at);
    }
    const frame = this.partial!;
    if (this.partialLength < frame.length) return -1;
    this.partial = undefined;
    this.partialLength = 0;
    if (!this.sink.onFrame(frame, FRAME_HEADER_BYTES, length, frame[3]!, frame[4]!, readStreamId(frame, 5))) {
      this.stop();
      return -1;
    }
    return at;
  }

  private fill(chunk: Buffer, from: number): number {
    const partial = this.partial!;
    const copied = chunk.copy(partial, this.partialLength, from, from + partial.length - this.partialLength);
    this.partialLength += copied;
    return from + copied;
  }

  private refuseOversized(length: number): void {
    this.stop();
    this.sink.onOversizedFrame(length);
  }
}
