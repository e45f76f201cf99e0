/**
 * Everything a stream sends: header blocks, data, trailers, resets. Owns the order of a stream's frames and the pull of
 * queued data into the output under both windows and the high-water mark. RFC 9113 §6.1, §6.2, §6.9, §6.10.
 *
 * Invariant: data goes past the queue only while nobody is queued, so the scheduler stays fair; trailers follow their own
 * data and wait for nobody else's; resets and ends without data wait for nothing. Once the connection is closed every
 * command does nothing: the layer above has heard of it, or is about to.
 */
import { TINY_DATA_BYTES } from "./abuse-policy.ts";
import type { ConnectionParts } from "./connection-parts.ts";
import { ErrorCode } from "./error-code.ts";
import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEADER_BYTES, FrameFlag } from "./frame-type.ts";
import { writeContinuationHeader } from "./frames/continuation.ts";
import { writeDataHeader } from "./frames/data.ts";
import { writeHeadersHeader } from "./frames/headers.ts";
import { listBytes, type OutboundField } from "./hpack/index.ts";
import { OutboundQueue } from "./outbound-queue.ts";
import type { Http2Stream, OutboundBlock } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";
import { UsageError } from "./usage-error.ts";

/** Larger frames would let one stream hold up the others for longer, and save next to nothing. */
const MAX_SENT_DATA_BYTES = DEFAULT_MAX_FRAME_BYTES;
const NO_FIELDS: readonly OutboundField[] = [];

export class SendPath {
  private readonly parts: ConnectionParts;
  /** Memory for what waits is short: the sink said so when it changed last. */
  private isMuchHeld = false;
  /** Streams whose writer may go on; delivered by the connection when no frame is being handled. */
  private writable: Http2Stream[] = [];

  constructor(parts: ConnectionParts) {
    this.parts = parts;
  }

  sendHeaders(stream: Http2Stream, block: OutboundBlock, endStream: boolean): void {
    if (this.parts.isClosed) return;
    if (stream.outbound !== undefined) throw new UsageError(`stream ${stream.id}: headers after queued data`);
    const next = this.nextState(stream, endStream ? StreamInput.SEND_HEADERS_END : StreamInput.SEND_HEADERS);
    if (stream.state === StreamState.IDLE) this.parts.beginLocal(stream);
    this.writeBlock(stream.id, block, endStream);
    stream.state = next;
    this.parts.outputWritten();
    this.afterEnd(stream);
  }

  /** Ends the stream with a header block, behind data that is still queued. */
  sendTrailers(stream: Http2Stream, block: OutboundBlock): void {
    if (stream.outbound === undefined) {
      this.endWith(stream, block);
      return;
    }
    if (this.parts.isClosed) return;
    this.refuseAfterEnd(stream);
    if (!Buffer.isBuffer(block)) requireOctets(block);
    stream.outbound.end = { kind: "trailers", trailers: block };
    stream.writerWaits = false;
  }

  /**
   * Takes `bytes` over. True while the writer may go on, and after an end, when it has nothing to wait for; otherwise the
   * sink's `onWritable` says when.
   */
  sendData(stream: Http2Stream, bytes: Buffer, endStream: boolean): boolean {
    const { scheduler, isClosed } = this.parts;
    if (isClosed) return true;
    if (stream.outbound !== undefined) this.refuseAfterEnd(stream);
    else this.nextState(stream, StreamInput.SEND_DATA);
    // An empty DATA frame says nothing, and to many peers a flood of them is an attack (CVE-2019-9518).
    if (bytes.length === 0 && !endStream) return !stream.writerWaits;
    const direct = stream.outbound === undefined && (scheduler.isEmpty || bytes.length === 0);
    const sent = direct ? this.sendNow(stream, bytes, endStream) : 0;
    if (sent < bytes.length || (endStream && stream.outbound !== undefined)) {
      this.enqueue(stream, sent === 0 ? bytes : bytes.subarray(sent), endStream);
    }
    if (endStream) stream.writerWaits = false;
    if (endStream || !this.isFull(stream)) return true;
    stream.writerWaits = true;
    return false;
  }

  /** At least so many bytes of a message would leave at once, past the queue. */
  sendableBytes(stream: Http2Stream): number {
    const { output, options, scheduler, sendWindow } = this.parts;
    if (stream.outbound !== undefined || !scheduler.isEmpty) return 0;
    const room = options.outputHighWaterBytes - output.length;
    return Math.max(0, Math.min(stream.sendWindow.available, sendWindow.available, room));
  }

  /** Our own reset: the sink hears nothing of it. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.isClosed) return;
    const wasIdle = stream.state === StreamState.IDLE;
    this.parts.closeStream(stream, ClosedHow.RESET_BY_US);
    if (!wasIdle) this.parts.writeReset(stream.id, code);
  }

  /** Moves queued data to the output as far as windows and room allow, stream by stream, a frame each. */
  pump(): void {
    const { output, options, scheduler, sendWindow } = this.parts;
    while (output.length < options.outputHighWaterBytes && sendWindow.available > 0) {
      const stream = scheduler.takeNext();
      if (stream === undefined) return;
      // Its window may have shrunk while it waited for its turn (RFC 9113 §6.9.2); it comes back when that opens.
      if (!this.canSend(stream)) continue;
      this.sendQueuedFrame(stream);
      if (this.canSend(stream)) scheduler.add(stream);
      if (stream.writerWaits && this.hasRoomAgain(stream)) {
        stream.writerWaits = false;
        this.writable.push(stream);
      }
    }
  }

  /** The stream's window opened: it may be its turn again. */
  windowOpened(stream: Http2Stream): void {
    if (this.canSend(stream)) this.parts.scheduler.add(stream);
  }

  get hasWritable(): boolean {
    return this.writable.length > 0;
  }

  /** The streams whose writers may go on, once each. */
  takeWritable(): readonly Http2Stream[] {
    const streams = this.writable;
    this.writable = [];
    return streams;
  }

  private isFull(stream: Http2Stream): boolean {
    return (
      stream.queuedBytes > 0 &&
      (stream.queuedBytes >= this.parts.options.streamHighWaterBytes || !this.mayReadAhead(stream))
    );
  }

  private hasRoomAgain(stream: Http2Stream): boolean {
    if (stream.queuedBytes === 0) return true;
    return stream.queuedBytes * 2 <= this.parts.options.streamHighWaterBytes && this.mayReadAhead(stream);
  }

  /**
   * Where it may not, a writer waits with the first message that is queued. While a window is shut only the peer can make
   * it move, and a second message would wait as long as the first.
   */
  private mayReadAhead({ sendWindow }: Http2Stream): boolean {
    return sendWindow.available > 0 && this.parts.sendWindow.available > 0 && !this.isMuchHeld;
  }

  private canSend(stream: Http2Stream): boolean {
    return stream.outbound !== undefined && stream.sendWindow.available > 0;
  }

  private enqueue(stream: Http2Stream, rest: Buffer, endStream: boolean): void {
    stream.outbound ??= new OutboundQueue<OutboundBlock>();
    const { outbound } = stream;
    const heldBefore = outbound.heldBytes;
    outbound.push(rest);
    this.heldChanged(outbound.heldBytes - heldBefore);
    if (endStream) outbound.end = { kind: "data" };
    this.watch(stream);
    if (this.canSend(stream)) this.parts.scheduler.add(stream);
  }

  private watch(stream: Http2Stream): void {
    const { stalls, nowMs } = this.parts;
    const { checkAtMs } = stalls;
    stalls.watch(stream, nowMs);
    // Where nothing of it could be sent, nothing else makes the driver look at the time.
    if (stalls.checkAtMs !== checkAtMs) this.parts.outputWritten();
  }

  private heldChanged(bytes: number): void {
    if (bytes !== 0) this.isMuchHeld = this.parts.sink.onHeldChange?.(bytes) ?? false;
  }

  /** The result is how many octets went out; END_STREAM went with the last of them. */
  private sendNow(stream: Http2Stream, bytes: Buffer, endStream: boolean): number {
    const { output, options, sendWindow } = this.parts;
    let sent = 0;
    do {
      const left = bytes.length - sent;
      const credit = Math.min(stream.sendWindow.available, sendWindow.available);
      if (left > 0 && (credit <= 0 || output.length >= options.outputHighWaterBytes)) return sent;
      const count = left === 0 ? 0 : Math.min(left, credit, MAX_SENT_DATA_BYTES);
      const last = sent + count === bytes.length;
      const payload = this.beginData(stream, count, last && endStream);
      bytes.copy(output.bytes, payload, sent, sent + count);
      sent += count;
      this.parts.budget.dataFrameSent(last ? TINY_DATA_BYTES : count);
      this.endData(stream, count, last && endStream);
    } while (sent < bytes.length);
    return sent;
  }

  private sendQueuedFrame(stream: Http2Stream): void {
    const queue = stream.outbound!;
    const { output, sendWindow } = this.parts;
    const count = Math.min(queue.bytes, stream.sendWindow.available, sendWindow.available, MAX_SENT_DATA_BYTES);
    const { end } = queue;
    const last = count === queue.bytes;
    const endStream = last && end !== undefined && end.kind === "data";
    const payload = this.beginData(stream, count, endStream);
    const heldBefore = queue.heldBytes;
    queue.moveTo(output.bytes, payload, count);
    if (last) stream.outbound = undefined;
    this.heldChanged(queue.heldBytes - heldBefore);
    this.parts.budget.dataFrameSent(last ? TINY_DATA_BYTES : count);
    this.endData(stream, count, endStream);
    if (last && end !== undefined && end.kind === "trailers") this.endWith(stream, end.trailers);
  }

  /**
   * The peer may have lowered its limit since the trailers were made. What comes first in them matters most, so the last
   * fields go; where not even the first fits, the stream is reset. RFC 9113 §6.5.2.
   */
  private endWith(stream: Http2Stream, block: OutboundBlock): void {
    const { peerLists, budget, isClosed } = this.parts;
    if (isClosed || Buffer.isBuffer(block) || listBytes(block) <= peerLists.bytes) {
      this.sendHeaders(stream, block, true);
      return;
    }
    budget.count("trailers-cut");
    let count = block.length;
    while (count > 0 && listBytes(block.slice(0, count)) > peerLists.bytes) count--;
    if (count > 0) this.sendHeaders(stream, block.slice(0, count), true);
    else this.reset(stream, ErrorCode.INTERNAL_ERROR);
  }

  /** Writes the frame header; the caller writes `count` octets at the position returned, then calls `endData`. */
  private beginData(stream: Http2Stream, count: number, endStream: boolean): number {
    const { output } = this.parts;
    output.ensure(FRAME_HEADER_BYTES + count);
    return writeDataHeader(output.bytes, output.length, stream.id, count, endStream);
  }

  private endData(stream: Http2Stream, count: number, endStream: boolean): void {
    const { output, sendWindow } = this.parts;
    output.length += FRAME_HEADER_BYTES + count;
    stream.sendWindow.consume(count);
    sendWindow.consume(count);
    stream.state = this.nextState(stream, endStream ? StreamInput.SEND_DATA_END : StreamInput.SEND_DATA);
    this.parts.outputWritten();
    if (endStream) this.afterEnd(stream);
  }

  private writeBlock(streamId: number, block: OutboundBlock, endStream: boolean): void {
    this.parts.blocksSent++;
    const { output, remote } = this.parts;
    const start = output.length + FRAME_HEADER_BYTES;
    const end = this.encodeBlock(block, start);
    const length = end - start;
    const flags = endStream ? FrameFlag.END_STREAM : 0;
    if (length <= remote.maxFrameBytes) {
      writeHeadersHeader(output.bytes, output.length, streamId, length, flags | FrameFlag.END_HEADERS);
      output.length = end;
    } else {
      this.writeSplitBlock(streamId, Buffer.from(output.bytes.subarray(start, end)), flags);
    }
  }

  /** Encodes at `start`; the result is where the block ends. `output.length` does not move. */
  private encodeBlock(block: OutboundBlock, start: number): number {
    const { output, encoder } = this.parts;
    const constant = Buffer.isBuffer(block);
    const fields = constant ? NO_FIELDS : block;
    output.ensure(FRAME_HEADER_BYTES + encoder.sizeBound(fields) + (constant ? block.length : 0));
    // Constant blocks too must follow a pending table size update: RFC 7541 §4.2.
    const at = encoder.encode(fields, output.bytes, start);
    return constant ? at + block.copy(output.bytes, at) : at;
  }

  /** RFC 9113 §4.3: HEADERS, then CONTINUATION frames with nothing between them. */
  private writeSplitBlock(streamId: number, block: Buffer, flags: number): void {
    const { output, remote } = this.parts;
    const max = remote.maxFrameBytes;
    for (let at = 0; at < block.length; at += max) {
      const length = Math.min(max, block.length - at);
      const endHeaders = at + length === block.length ? FrameFlag.END_HEADERS : 0;
      output.ensure(FRAME_HEADER_BYTES + length);
      if (at === 0) writeHeadersHeader(output.bytes, output.length, streamId, length, flags | endHeaders);
      else writeContinuationHeader(output.bytes, output.length, streamId, length, endHeaders);
      output.length += FRAME_HEADER_BYTES;
      output.length += block.copy(output.bytes, output.length, at, at + length);
    }
  }

  private nextState(stream: Http2Stream, input: number): number {
    const next = nextStreamState(stream.state, input);
    if (isVerdict(next)) this.misuse(stream);
    return next;
  }

  /** Our side of a stream may have ended: takes the stream out where that was the last of it. */
  afterEnd(stream: Http2Stream): void {
    if (stream.state === StreamState.CLOSED) this.parts.closeStream(stream, ClosedHow.ENDED);
    else if (stream.resetWhenDone && stream.isLocalDone) this.reset(stream, ErrorCode.NO_ERROR);
  }

  private refuseAfterEnd(stream: Http2Stream): void {
    if (stream.outbound?.end !== undefined) throw new UsageError(`stream ${stream.id} has ended already`);
  }

  private misuse(stream: Http2Stream): never {
    throw new UsageError(`stream ${stream.id} in state ${stream.state} cannot send that`);
  }
}

/** A block that is encoded later must not be able to fail then, when nobody is there to hear of it. */
function requireOctets(fields: readonly OutboundField[]): void {
  for (const { name, value } of fields) {
    if (/[^\0-\xff]/.test(name) || /[^\0-\xff]/.test(value)) {
      throw new UsageError(`header field ${JSON.stringify(name)} has a character above U+00FF; encode the text first`);
    }
  }
}
