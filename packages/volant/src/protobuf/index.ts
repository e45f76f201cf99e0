/**
 * `volant/protobuf`: encode and decode protobuf-es messages.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { codecOf, type MessageCodec } from "./codec.ts";

export { codecOf, type MessageCodec };

const codecs = new WeakMap<DescMessage, MessageCodec<unknown, unknown>>();

function cachedCodec<Desc extends DescMessage>(schema: Desc): MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>> {
  let codec = codecs.get(schema);
  if (codec === undefined) {
    codec = codecOf(schema) as MessageCodec<unknown, unknown>;
    codecs.set(schema, codec);
  }
  return codec as MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>>;
}

/** The binary form of a message, or of a plain object of its init shape. */
export function encode<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Uint8Array {
  return cachedCodec(schema).encode(message);
}

/** Writes at `offset`, at most `limit` octets (default: all that is left); the number written, or -1 where it does not fit. */
export function encodeInto<Desc extends DescMessage>(
  schema: Desc,
  message: MessageInitShape<Desc>,
  target: Buffer,
  offset: number,
  limit: number = target.length - offset,
): number {
  return cachedCodec(schema).encodeInto(message, target, offset, limit);
}

/** The message in `bytes`. Throws where they are malformed. The message keeps no view of `bytes`. */
export function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return cachedCodec(schema).decode(buffer, 0, buffer.length);
}
