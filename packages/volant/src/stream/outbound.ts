/**
 * The sending half of one gRPC stream, either role: messages in, DATA out. Owns framing, encoding and waiting for room.
 *
 * Small messages are encoded straight into the connection's output (see `http2/reservation.ts`); anything else is encoded
 * into a buffer of its own and goes through the scheduler.
 */
import { PREFIX_BYTES, writePrefix } from "../grpc/message-prefix.ts";
import type { MessageCodec } from "../rpc/method.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";

export class Outbound {
  /** Header block to send in front of the first message; undefined once headers are out. */
  headers: Buffer | undefined;
  messagesSent = 0;
  protected readonly http2: Http2Connection;
  protected readonly stream: Http2Stream;
  private readonly codec: MessageCodec<unknown, unknown>;
  private room: PromiseWithResolvers<void> | undefined;

  constructor(
    http2: Http2Connection,
    stream: Http2Stream,
    codec: MessageCodec<unknown, unknown>,
    headers: Buffer | undefined,
  ) {
    this.http2 = http2;
    this.stream = stream;
    this.codec = codec;
    this.headers = headers;
  }

  /**
   * Sends one message, after the headers if they are due, and `trailers` behind it where given. Throws what the encoder
   * throws; nothing of the message was sent then.
   */
  send(message: unknown, trailers?: Buffer): void {
    if (this.sendDirect(message, trailers, false)) return;
    const bytes = this.encode(message);
    this.sendHeadersIfDue();
    this.sendBytes(bytes, false);
    if (trailers !== undefined) this.http2.sendTrailers(this.stream, trailers);
  }

  /** The last message of our side, which ends it: END_STREAM goes with its last octets. */
  sendLast(message: unknown): void {
    if (this.sendDirect(message, undefined, true)) return;
    const bytes = this.encode(message);
    this.sendHeadersIfDue();
    this.sendBytes(bytes, true);
  }

  sendHeadersIfDue(): void {
    if (this.headers === undefined) return;
    const { headers } = this;
    this.headers = undefined;
    this.http2.sendHeaders(this.stream, headers, false);
  }

  /** A promise while the writer should wait; undefined while it may go on. */
  whenWritable(): Promise<void> | undefined {
    return this.room?.promise;
  }

  /** The connection has room again, or the stream is over: whoever waits goes on and sees. */
  release(): void {
    const { room } = this;
    this.room = undefined;
    room?.resolve();
  }

  private sendDirect(message: unknown, trailers: Buffer | undefined, last: boolean): boolean {
    const { http2, codec } = this;
    const at = http2.reserve(this.stream, this.headers, codec.estimate + PREFIX_BYTES);
    if (at < 0) return false;
    const target = http2.outputBytes;
    let length = -1;
    try {
      length = codec.encodeInto(message, target, at + PREFIX_BYTES, http2.reservedLimit - PREFIX_BYTES);
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

  private encode(message: unknown): Buffer {
    const encoded = this.codec.encode(message);
    const bytes = Buffer.allocUnsafe(PREFIX_BYTES + encoded.length);
    writePrefix(bytes, 0, false, encoded.length);
    bytes.set(encoded, PREFIX_BYTES);
    return bytes;
  }

  private sendBytes(bytes: Buffer, last: boolean): void {
    this.messagesSent++;
    if (!this.http2.sendData(this.stream, bytes, last)) this.room ??= Promise.withResolvers<void>();
  }
}
