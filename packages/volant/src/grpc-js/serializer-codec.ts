/**
 * The codec of messages that foreign functions write and read: one pair of serialize and deserialize, as a
 * {@link MessageCodec}. Owns the copies between the runtime's buffers and theirs; knows no protobuf.
 *
 * Invariant: what a deserializer gets belongs to the message it makes. Readers of other generators return views for `bytes`
 * fields, and some deserializers return their argument; the runtime's octets are valid only during the call.
 */
import { isBytes } from "../rpc/foreign-values.ts";
import type { MessageCodec } from "../rpc/method.ts";

/** A reservation never asks for less, nor for more because of one large message. */
const MIN_ESTIMATE = 256;
const MAX_ESTIMATE = 8_192;

export class SerializerCodec implements MessageCodec<unknown, unknown> {
  estimate = MIN_ESTIMATE;
  private readonly name: string;
  private readonly serialize: (message: never) => unknown;
  private readonly deserialize: (bytes: Buffer) => unknown;
  /** A message that did not fit, and its octets: the runtime asks for them next. */
  private unfitMessage: unknown = undefined;
  private unfitBytes: Uint8Array | undefined = undefined;

  /** `name` says in errors whose serializer it is. */
  constructor(name: string, serialize: (message: never) => unknown, deserialize: (bytes: Buffer) => unknown) {
    this.name = name;
    this.serialize = serialize;
    this.deserialize = deserialize;
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    const { deserialize } = this;
    const own = Buffer.allocUnsafe(end - start);
    bytes.copy(own, 0, start, end);
    return deserialize(own);
  }

  encode(message: unknown): Uint8Array {
    const { unfitMessage, unfitBytes } = this;
    this.unfitMessage = undefined;
    this.unfitBytes = undefined;
    return unfitBytes !== undefined && unfitMessage === message ? unfitBytes : this.write(message);
  }

  encodeInto(message: unknown, target: Buffer, offset: number, limit: number): number {
    const bytes = this.write(message);
    const { length } = bytes;
    if (length > limit || offset + length > target.length) {
      this.unfitMessage = message;
      this.unfitBytes = bytes;
      return -1;
    }
    target.set(bytes, offset);
    return length;
  }

  private write(message: unknown): Uint8Array {
    const { serialize } = this;
    const bytes = serialize(message as never);
    if (!isBytes(bytes)) {
      throw new TypeError(
        `${this.name} returned ${bytes === null ? "null" : `a ${typeof bytes}`}; it must return a Uint8Array`,
      );
    }
    this.estimate = Math.min(MAX_ESTIMATE, Math.max(MIN_ESTIMATE, bytes.length));
    return bytes;
  }
}
