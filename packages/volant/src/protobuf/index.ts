/**
 * `volant/protobuf`: encode and decode protobuf-es messages with compiled codecs, in place of `toBinary` and `fromBinary`.
 */
import "../runtime-floor.ts";

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { CodecOptions, DecodeLimits, MessageCodec } from "./codec.ts";
import { DecodeError, DecodeLimitError, EncodeError } from "./codec-error.ts";
import { codecOf } from "./message-codec.ts";

export { type CodecOptions, codecOf, DecodeError, DecodeLimitError, type DecodeLimits, EncodeError, type MessageCodec };

const codecs = new WeakMap<DescMessage, MessageCodec<unknown, unknown>>();

function cachedCodec<Desc extends DescMessage>(schema: Desc): MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>> {
  let codec = codecs.get(schema);
  if (codec === undefined) {
    codec = codecOf(schema) as MessageCodec<unknown, unknown>;
    codecs.set(schema, codec);
  }
  return codec as MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>>;
}

/** The binary form of a message, or of a plain object of its init shape. Throws {@link EncodeError} for a value that a field cannot have. */
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

/**
 * The message in `bytes`. Throws {@link DecodeError} where they are malformed. The message keeps no view of `bytes`; for views, or
 * without unknown fields, use {@link codecOf} with options.
 */
export function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return cachedCodec(schema).decode(asBuffer(bytes), 0, bytes.length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
