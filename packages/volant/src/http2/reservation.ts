/**
 * The hot path of a small answer: HEADERS, one DATA frame and trailers written straight into the output buffer as one
 * transaction. Buys: no buffer for the message, no copy, no queue. Bench: unary-server.
 *
 *   at = reserve(stream, headers, estimate)     -1: not now, use the send path
 *   … the caller writes a message at `at`, at most `limit` octets …
 *   commit(length, trailers)  or  rollback()    commit is false where the encoder ran user code that sent
 *
 * Granted only while nothing is queued for the connection, both windows are open, no table size update is due and no
 * other reservation is open. Header blocks here are constant bytes.
 */
import type { ConnectionParts } from "./connection-parts.ts";
import { FRAME_HEADER_BYTES, FrameFlag } from "./frame-type.ts";
import { writeDataHeader } from "./frames/data.ts";
import { writeHeadersHeader } from "./frames/headers.ts";
import type { Http2Stream } from "./stream.ts";
import { isVerdict, nextStreamState, StreamInput, StreamState } from "./stream-state.ts";
import { ClosedHow } from "./stream-store.ts";
import { UsageError } from "./usage-error.ts";

/** Kept free behind the message for trailers. */
const TRAILERS_ROOM = 512;

export class Reservation {
  /** Octets the caller may write. */
  limit = 0;
  private readonly parts: ConnectionParts;
  private stream: Http2Stream | undefined;
  private buffer: Buffer | undefined;
  private dataAt = 0;
  private hasHeaders = false;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
  }

  reserve(stream: Http2Stream, headers: Buffer | undefined, estimate: number): number {
    const { parts } = this;
    const { output, remote, options } = parts;
    const headersBytes = headers === undefined ? 0 : FRAME_HEADER_BYTES + headers.length;
    const credit = Math.min(stream.sendWindow.available, parts.sendWindow.available, remote.maxFrameBytes);
    if (
      this.stream !== undefined ||
      stream.outbound !== undefined ||
      credit < estimate ||
      parts.isClosed ||
      isVerdict(nextStreamState(stream.state, StreamInput.SEND_HEADERS)) ||
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

  /** `trailers` end the stream; without them it stays open. False: nothing was sent, use the send path. */
  commit(length: number, trailers: Buffer | undefined): boolean {
    const stream = this.stream;
    if (stream === undefined || length > this.limit) throw new UsageError("commit without room reserved for it");
    this.stream = undefined;
    const { parts } = this;
    const { output } = parts;
    if (!output.reserved || output.bytes !== this.buffer || stream.isClosed) {
      this.release();
      return false;
    }
    output.reserved = false;
    writeDataHeader(output.bytes, this.dataAt, stream.id, length, false);
    output.length = this.dataAt + FRAME_HEADER_BYTES + length;
    stream.sendWindow.consume(length);
    parts.sendWindow.consume(length);
    if (this.hasHeaders) stream.state = nextStreamState(stream.state, StreamInput.SEND_HEADERS);
    if (trailers !== undefined) this.writeTrailers(stream, trailers);
    parts.outputWritten();
    return true;
  }

  /** Nothing of it ever happened. */
  rollback(): void {
    this.stream = undefined;
    this.release();
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
    if (stream.state === StreamState.CLOSED) this.parts.closeStream(stream, ClosedHow.ENDED);
  }
}
