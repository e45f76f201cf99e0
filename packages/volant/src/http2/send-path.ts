/**
 * Everything a stream sends: header blocks, data, trailers, resets. Owns the order of a stream's frames and the pull of
 * queued data into the output under both windows and the high-water mark. RFC 9113 §6.1, §6.2, §6.9, §6.10.
 *
 * Invariant: data goes past the queue only while nobody is queued, so the scheduler stays fair; trailers follow their own
 * data and wait for nobody else's; resets wait for nothing.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import type { ErrorCode } from "./error-code.ts";
import { FRAME_HEADER_BYTES, FrameFlag } from "./frame-type.ts";
import { writeContinuationHeader } from "./frames/continuation.ts";
import { writeDataHeader } from "./frames/data.ts";
import { writeHeadersHeader } from "./frames/headers.ts";
import { RST_STREAM_BYTES, writeRstStream } from "./frames/rst-stream.ts";
import { OutboundQueue } from "./outbound-queue.ts";
import type { Http2Stream, OutboundBlock } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";
import { UsageError } from "./usage-error.ts";



export class SendPath {
  private readonly parts: ConnectionParts;
  /** Streams whose writer may go on; delivered by the connection when no frame is being handled. */
  private writable: Http2Stream[] = [];

  constructor(parts: ConnectionParts) {
    this.parts = parts;
  }

  sendHeaders(stream: Http2Stream, block: OutboundBlock, endStream: boolean): void {
    if (stream.outbound !== undefined) throw new UsageError(`stream ${stream.id}: headers after queued data`);
    this.advance(stream, endStream ? StreamInput.SEND_HEADERS_END : StreamInput.SEND_HEADERS);
    this.writeBlock(stream.id, block, endStream);
    this.finishIfClosed(stream);
  }

  /** Ends the stream with a header block, behind data that is still queued. */
  sendTrailers(stream: Http2Stream, block: OutboundBlock): void {
    if (stream.outbound === undefined) {
      this.sendHeaders(stream, block, true);
      return;
    }
    this.refuseAfterEnd(stream);
    stream.outbound.end = { kind: "trailers", trailers: block };
  }

  /** Takes `bytes` over. True while the writer may go on; otherwise the sink's `onWritable` says when. */
  sendData(stream: Http2Stream, bytes: Buffer, endStream: boolean): boolean {
    if (stream.outbound !== undefined) this.refuseAfterEnd(stream);
    else if (isVerdict(nextStreamState(stream.state, StreamInput.SEND_DATA))) this.misuse(stream);
    const direct = stream.outbound === undefined && this.parts.scheduler.isEmpty;
    const sent = direct ? this.sendNow(stream, bytes, endStream) : 0;
    if (sent < bytes.length || (endStream && !stream.isLocalDone)) {
      this.enqueue(stream, sent === 0 ? bytes : bytes.subarray(sent), endStream);
    }
    if (stream.queuedBytes < this.parts.options.streamHighWaterBytes) return true;
    stream.writerWaits = true;
    return false;
  }

  /** Our own reset: the sink hears nothing of it. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.isClosed) return;
    const wasIdle = stream.state === StreamState.IDLE;
    this.parts.closeStream(stream, ClosedHow.RESET_BY_US);
    if (!wasIdle) this.writeReset(stream.id, code);
  }

  writeReset(streamId: number, code: ErrorCode): void {
    const { output } = this.parts;
    output.ensure(RST_STREAM_BYTES);
    output.length = writeRstStream(output.bytes, output.length, streamId, code);
    this.parts.outputWritten();
  }

  /** Moves queued data to the output as far as windows and room allow, stream by stream, a frame each. */
  pump(): void {
    const { output, options, scheduler, sendWindow } = this.parts;
    while (output.length < options.outputHighWaterBytes && sendWindow.available > 0) {
      const stream = scheduler.takeNext();
      if (stream === undefined) return;
      this.sendQueuedFrame(stream);
      if (this.canSend(stream)) scheduler.add(stream);
      if (stream.writerWaits && stream.queuedBytes * 2 <= options.streamHighWaterBytes) {
        stream.writerWaits = false;
        this.writable.push(stream);
      }
    }
  }

  /** The stream's window opened: it may be its turn again. */
  windowOpened(stream: Http2Stream): void {
    if (this.canSend(stream)) this.parts.scheduler.add(stream);
  }

  /** The streams whose writers may go on, once each. */
  takeWritable(): readonly Http2Stream[] {
    if (this.writable.length === 0) return this.writable;
    const streams = this.writable;
    this.writable = [];
    return streams;
  }

  private canSend(stream: Http2Stream): boolean {
    return stream.outbound !== undefined && stream.sendWindow.available > 0;
  }

  private enqueue(stream: Http2Stream, rest: Buffer, endStream: boolean): void {
    stream.outbound ??= new OutboundQueue<OutboundBlock>();
    stream.outbound.push(rest);
    if (endStream) stream.outbound.end = { kind: "data" };
    if (this.canSend(stream)) this.parts.scheduler.add(stream);
  }

  /** The result is how many octets went out; END_STREAM went with the last of them. */
  private sendNow(stream: Http2Stream, bytes: Buffer, endStream: boolean): number {
    const { output, options, remote, sendWindow } = this.parts;
    let sent = 0;
    do {
      const left = bytes.length - sent;
      const credit = Math.min(stream.sendWindow.available, sendWindow.available);
      if (left > 0 && (credit <= 0 || output.length >= options.outputHighWaterBytes)) return sent;
      const count = left === 0 ? 0 : Math.min(left, credit, remote.maxFrameBytes);
      const last = sent + count === bytes.length;
      const payload = this.beginData(stream, count, last && endStream);
      bytes.copy(output.bytes, payload, sent, sent + count);
      sent += count;
      this.endData(stream, count, last && endStream);
    } while (sent < bytes.length);
    return sent;
  }

  private sendQueuedFrame(stream: Http2Stream): void {
    const queue = stream.outbound!;
    const { output, remote, sendWindow } = this.parts;
    const count = Math.min(queue.bytes, stream.sendWindow.available, sendWindow.available, remote.maxFrameBytes);
    const { end } = queue;
    const last = count === queue.bytes;
    const endStream = last && end !== undefined && end.kind === "data";
    const payload = this.beginData(stream, count, endStream);
    queue.moveTo(output.bytes, payload, count);
    if (last) stream.outbound = undefined;
    this.endData(stream, count, endStream);
    if (last && end !== undefined && end.kind === "trailers") this.sendHeaders(stream, end.trailers, true);
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
    this.advance(stream, endStream ? StreamInput.SEND_DATA_END : StreamInput.SEND_DATA);
    this.parts.outputWritten();
    if (endStream) this.finishIfClosed(stream);
  }

  private writeBlock(streamId: number, block: OutboundBlock, endStream: boolean): void {
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
    this.parts.outputWritten();
  }

  /** Encodes at `start`; the result is where the block ends. `output.length` does not move. */
  private encodeBlock(block: OutboundBlock, start: number): number {
    const { output, encoder } = this.parts;
    const constant = Buffer.isBuffer(block);
    const fields = constant ? [] : block;
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

  private advance(stream: Http2Stream, input: number): void {
    const next = nextStreamState(stream.state, input);
    if (isVerdict(next)) this.misuse(stream);
    stream.state = next;
  }

  private finishIfClosed(stream: Http2Stream): void {
    if (stream.state === StreamState.CLOSED) this.parts.closeStream(stream, ClosedHow.ENDED);
  }

  private refuseAfterEnd(stream: Http2Stream): void {
    if (stream.outbound?.end !== undefined) throw new UsageError(`stream ${stream.id} has ended already`);
  }

  private misuse(stream: Http2Stream): never {
    throw new UsageError(`stream ${stream.id} in state ${stream.state} cannot send that`);
  }
}


