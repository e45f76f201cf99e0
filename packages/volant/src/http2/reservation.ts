/**
 * The hot path of a small answer: HEADERS, one DATA frame and trailers written straight into the output buffer as one
 * transaction. Buys: no buffer for the message, no copy, no queue. Bench: unary-server.
 *
 *   at = reserve(stream, headers, estimate)     -1: not now, use the send path
 *   … the caller writes a message at `at`, at most `limit` octets …
 *   commit(length, trailers, endStream)  or  rollback()     commit is false where the encoder ran user code that sent
 *
 * Granted only while nothing is queued for the connection, both windows are open, no table size update is due and no
 * other reservation is open. Header blocks here are constant bytes.
 */
import { TINY_DATA_BYTES } from "./abuse-policy.ts";
import type { ConnectionParts } from "./connection-parts.ts";
import { FRAME_HEADER_BYTES, FrameFlag } from "./frame-type.ts";
import { writeDataHeader } from "./frames/data.ts";
import { writeHeadersHeader } from "./frames/headers.ts";
import type { SendPath } from "./send-path.ts";
import type { Http2Stream } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState } from "./stream-state.ts";
import { UsageError } from "./usage-error.ts";

/** Kept free behind the message for trailers. */
const TRAILERS_ROOM = 512;
/**
 * The first messages of streams that answer a chunk do not wait for the last ones: two sides that take turns would each be
 * idle while the other works. Bench: bidi-streaming.
 */
const EARLY_OUTPUT_BYTES = 8_192;

export class Reservation {
  /** Octets the caller may write. */
  limit = 0;
  private readonly parts: ConnectionParts;
  private readonly sender: SendPath;
  private stream: Http2Stream | undefined;
  private buffer: Buffer | undefined;
  private dataAt = 0;
  private hasHeaders = false;
  /** When the chunk came whose first answers went out early. */
  private earlyMs = -1;

  constructor(parts: ConnectionParts, sender: SendPath) {
    this.parts = parts;
    this.sender = sender;
  }

  reserve(stream: Http2Stream, headers: Buffer | undefined, estimate: number): number {
    const { parts } = this;
    const { output, remote, options } = parts;
    const headersBytes = headers === undefined ? 0 : FRAME_HEADER_BYTES + headers.length;
    const credit = Math.min(stream.sendWindow.available, parts.sendWindow.available, remote.maxFrameBytes);
    const input = headers === undefined ? StreamInput.SEND_DATA : StreamInput.SEND_HEADERS;
    if (
      this.stream !== undefined ||
      stream.outbound !== undefined ||
      credit < estimate ||
      credit < 0 ||
      headersBytes > remote.maxFrameBytes ||
      parts.isClosed ||
      isVerdict(nextStreamState(stream.state, input)) ||
      output.length >= options.outputHighWaterBytes ||
      !parts.scheduler.isEmpty ||
      parts.encoder.isSizeUpdateDue
    ) {
      return -1;
    }
    output.ensure(headersBytes + FRAME_HEADER_BYTES + estimate + TRAILERS_ROOM);
    this.stream = stream;
    this.buffer = output.bytes;
    output.reserved = true;
    this.hasHeaders = headers !== undefined;
    let at = output.length;
    if (headers !== undefined) {
      at = writeHeadersHeader(output.bytes, at, stream.id, headers.length, FrameFlag.END_HEADERS);
      at += headers.copy(output.bytes, at);
    }
    this.dataAt = at;
    at += FRAME_HEADER_BYTES;
    this.limit = Math.min(credit, output.bytes.length - at - TRAILERS_ROOM);
    return at;
  }

  /**
   * `trailers` end the stream, and so does `endStream`, with the DATA frame; otherwise it stays open. False: nothing was
   * sent, use the send path.
   */
  commit(length: number, trailers: Buffer | undefined, endStream: boolean): boolean {
    const stream = this.stream;
    if (stream === undefined || length > this.limit) throw new UsageError("commit without room reserved for it");
    this.stream = undefined;
    const { parts } = this;
    const { output } = parts;
    if (!output.reserved || output.bytes !== this.buffer || !this.isStillLegal(stream, trailers)) {
      this.release();
      return false;
    }
    output.reserved = false;
    this.buffer = undefined;
    if (this.hasHeaders) {
      if (stream.state === StreamState.IDLE) parts.beginLocal(stream);
      stream.state = nextStreamState(stream.state, StreamInput.SEND_HEADERS);
    }
    const endsHere = endStream && trailers === undefined;
    writeDataHeader(output.bytes, this.dataAt, stream.id, length, endsHere);
    output.length = this.dataAt + FRAME_HEADER_BYTES + length;
    stream.sendWindow.consume(length);
    parts.sendWindow.consume(length);
    parts.budget.dataFrameSent(TINY_DATA_BYTES);
    if (endsHere) stream.state = nextStreamState(stream.state, StreamInput.SEND_DATA_END);
    else if (trailers !== undefined) this.writeTrailers(stream, trailers);
    parts.outputWritten();
    if (endsHere || trailers !== undefined) this.sender.afterEnd(stream);
    else if (output.length >= EARLY_OUTPUT_BYTES) this.sendEarly();
    return true;
  }

  /** Once for a chunk: each write costs as much as dozens of messages. */
  private sendEarly(): void {
    const { nowMs, sink } = this.parts;
    if (nowMs === this.earlyMs) return;
    this.earlyMs = nowMs;
    sink.onOutput(true);
  }

  /** Nothing of it ever happened. */
  rollback(): void {
    this.stream = undefined;
    this.release();
  }

  /** User code ran since the reservation: it may have reset the stream or queued data on it. */
  private isStillLegal(stream: Http2Stream, trailers: Buffer | undefined): boolean {
    const { remote, isClosed } = this.parts;
    if (isClosed || stream.isLocalDone || stream.outbound !== undefined) return false;
    return trailers === undefined || trailers.length <= remote.maxFrameBytes;
  }

  private release(): void {
    if (this.parts.output.bytes === this.buffer) this.parts.output.reserved = false;
    this.buffer = undefined;
  }

  private writeTrailers(stream: Http2Stream, trailers: Buffer): void {
    const { output } = this.parts;
    const flags = FrameFlag.END_HEADERS | FrameFlag.END_STREAM;
    output.ensure(FRAME_HEADER_BYTES + trailers.length);
    const at = writeHeadersHeader(output.bytes, output.length, stream.id, trailers.length, flags);
    output.length = at + trailers.copy(output.bytes, at);
    stream.state = nextStreamState(stream.state, StreamInput.SEND_HEADERS_END);
  }
}
