/**
 * The sending half of one gRPC stream, either role: messages in, DATA out. Owns framing, encoding and waiting for room.
 *
 * Small messages are encoded straight into the connection's output (see `http2/reservation.ts`); anything else is encoded
 * into a buffer of its own and goes through the scheduler. Where messages are compressed, `compressed-line.ts` is between.
 */
import type { ThreadLine } from "../compression/threads.ts";
import type { MessageEncoding } from "../grpc/message-encoding.ts";
import { PREFIX_BYTES, writePrefix } from "../grpc/message-prefix.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import {
  CompressedLine,
  type LineStep,
  type LineTarget,
  type SendLimits,
  type TrailerBlock,
} from "./compressed-line.ts";
import type { UnsentShare } from "./unsent-share.ts";

const NO_LIMIT = 0x7fff_ffff;
const NOTHING: Buffer = Buffer.alloc(0);

export class Outbound implements LineTarget {
  /** Header block to send in front of the first message; undefined once headers are out. */
  headers: Buffer | undefined;
  /** Those that wait to be compressed count. */
  messagesSent = 0;
  protected readonly http2: Http2Connection;
  protected readonly stream: Http2Stream;
  private readonly codec: MessageCodec<unknown, unknown>;
  private readonly unsent: UnsentShare | undefined;
  private room: PromiseWithResolvers<void> | undefined;
  private line: CompressedLine | undefined;

  /** Without `unsent` nobody counts what waits. */
  constructor(
    http2: Http2Connection,
    stream: Http2Stream,
    codec: MessageCodec<unknown, unknown>,
    headers: Buffer | undefined,
    unsent?: UnsentShare,
  ) {
    this.http2 = http2;
    this.stream = stream;
    this.codec = codec;
    this.headers = headers;
    this.unsent = unsent;
  }

  /** For the messages that follow; the headers, which are the owner's, must say so. `threadLine` is the connection's. */
  compressWith(encoding: MessageEncoding, limits: SendLimits, threadLine: ThreadLine): void {
    this.line = new CompressedLine(this, encoding, limits, threadLine);
  }

  /**
   * Sends one message, after the headers if they are due, and `trailers` behind it where given. Throws what the encoder
   * throws, and RESOURCE_EXHAUSTED where it had to wait and there is no room; nothing of the message was sent then.
   */
  send(message: unknown, trailers?: Buffer): void {
    if (this.isUnwanted) return;
    if (this.line !== undefined) this.sendCompressed(this.line, message, trailers, false);
    else if (!this.sendDirect(message, trailers, false, NO_LIMIT)) this.sendEncoded(message, trailers, false);
  }

  /** The last message of our side, which ends it: END_STREAM goes with its last octets. */
  sendLast(message: unknown): void {
    if (this.isUnwanted) return;
    if (this.line !== undefined) this.sendCompressed(this.line, message, undefined, true);
    else if (!this.sendDirect(message, undefined, true, NO_LIMIT)) this.sendEncoded(message, undefined, true);
  }

  /** Ends our side behind the messages. */
  halfClose(): void {
    if (this.line === undefined || this.line.isIdle) this.http2.sendData(this.stream, NOTHING, true);
    else this.line.add({ bytes: NOTHING, trailers: undefined, isLast: true });
  }

  /** Ends our side with a header block behind the messages. */
  sendTrailers(trailers: TrailerBlock): void {
    if (this.line === undefined || this.line.isIdle) this.http2.sendTrailers(this.stream, trailers);
    else this.line.add({ bytes: NOTHING, trailers, isLast: false });
  }

  sendHeadersIfDue(): void {
    if (this.headers === undefined) return;
    const { headers } = this;
    this.headers = undefined;
    this.http2.sendHeaders(this.stream, headers, false);
  }

  /** A promise while the writer should wait; undefined while it may go on. */
  whenWritable(): Promise<void> | undefined {
    if (this.line !== undefined && !this.line.isIdle) this.hold();
    return this.room?.promise;
  }

  /** The connection has room again, or the stream is over: whoever waits goes on and sees. */
  release(): void {
    if (this.stream.isClosed) this.line?.drop();
    const { room } = this;
    this.room = undefined;
    room?.resolve();
  }

  /** Messages that wait to be compressed are not wanted any more. */
  dropPending(): void {
    this.line?.drop();
  }

  // For the line

  transmit({ bytes, trailers, isLast }: LineStep): void {
    if (bytes.length > 0 || isLast) this.sendBytes(bytes, isLast);
    if (trailers !== undefined) this.http2.sendTrailers(this.stream, trailers);
  }

  get isOver(): boolean {
    return this.stream.isLocalDone;
  }

  hold(): void {
    this.room ??= Promise.withResolvers<void>();
  }

  onHeldChange(bytes: number): void {
    this.unsent?.change(bytes);
  }

  onIdle(): void {
    if (!this.stream.writerWaits) this.release();
  }

  private sendCompressed(line: CompressedLine, message: unknown, trailers: Buffer | undefined, isLast: boolean): void {
    const { minBytes } = line;
    const isSmall = line.isIdle && this.codec.estimate < minBytes;
    if (isSmall && this.sendDirect(message, trailers, isLast, minBytes - 1)) return;
    const bytes = this.encode(message);
    this.requireRoom(bytes.length, line);
    this.sendHeadersIfDue();
    this.messagesSent++;
    line.add({ bytes, trailers, isLast });
  }

  private sendDirect(message: unknown, trailers: Buffer | undefined, last: boolean, maxBytes: number): boolean {
    const { http2, codec } = this;
    const at = http2.reserve(this.stream, this.headers, codec.estimate + PREFIX_BYTES);
    if (at < 0) return false;
    const target = http2.outputBytes;
    let length = -1;
    try {
      const limit = Math.min(http2.reservedLimit - PREFIX_BYTES, maxBytes);
      length = codec.encodeInto(message, target, at + PREFIX_BYTES, limit);
    } finally {
      if (length < 0) http2.rollback();
    }
    if (length < 0) return false;
    writePrefix(target, at, false, length);
    if (!http2.commit(length + PREFIX_BYTES, trailers, last)) return false;
    this.headers = undefined;
    this.messagesSent++;
    return true;
  }

  private sendEncoded(message: unknown, trailers: Buffer | undefined, last: boolean): void {
    const bytes = this.encode(message);
    this.requireRoom(bytes.length, undefined);
    this.sendHeadersIfDue();
    this.messagesSent++;
    this.sendBytes(bytes, last);
    if (trailers !== undefined) this.http2.sendTrailers(this.stream, trailers);
  }

  /** Throws where a message that cannot leave at once finds no room to wait in. */
  private requireRoom(bytes: number, line: CompressedLine | undefined): void {
    const { unsent, http2, stream } = this;
    if (unsent === undefined || stream.isClosed) return;
    const leaves = line?.holds(bytes) ? 0 : http2.sendableBytes(stream);
    if (leaves < bytes) unsent.require(bytes, stream.heldBytes + (line === undefined ? 0 : line.heldBytes));
  }

  /**
   * The peer reset the stream behind its answer, and our reader has not seen the end of that yet: what is still sent goes
   * nowhere, and its writer waits for the end. RFC 9113 §8.1.
   */
  private get isUnwanted(): boolean {
    if (!this.stream.isClosed) return false;
    this.hold();
    return true;
  }

  private encode(message: unknown): Buffer {
    const encoded = this.codec.encode(message);
    const bytes = Buffer.allocUnsafe(PREFIX_BYTES + encoded.length);
    writePrefix(bytes, 0, false, encoded.length);
    bytes.set(encoded, PREFIX_BYTES);
    return bytes;
  }

  private sendBytes(bytes: Buffer, last: boolean): void {
    if (!this.http2.sendData(this.stream, bytes, last)) this.hold();
  }
}
