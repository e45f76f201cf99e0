/**
 * The codec of one message type: what a method binds once. Owns the contract between the runtime and whatever encodes.
 */
import type { OptionTable } from "../rpc/option-names.ts";

export interface MessageCodec<Shape, Init> {
  /**
   * The message in `bytes[start, end)`. Keeps no view of `bytes`, unless {@link CodecOptions.bytes} says so. Throws on malformed
   * input.
   */
  decode(bytes: Buffer, start: number, end: number): Shape;
  encode(message: Init): Uint8Array;
  /**
   * Writes at `offset`, at most `limit` octets; the result is how many, or -1 where they are not enough. Then, and when it
   * throws, the octets written are garbage that nobody reads.
   */
  encodeInto(message: Init, target: Buffer, offset: number, limit: number): number;
  /** Octets that the next message will probably take: what to reserve before {@link encodeInto}. */
  readonly estimate: number;
  /**
   * The same codec under these limits. Absent where the codec knows none, as those of other generators: then nothing bounds what a
   * message decodes to but its bytes.
   */
  readonly withLimits?: (limits: DecodeLimits) => MessageCodec<Shape, Init>;
}

/** What decoding may cost. */
export interface DecodeLimits {
  /** Fields that the type does not have: kept in `$unknown` or dropped. */
  readonly unknownFields?: "keep" | "drop";
  /**
   * Most values that one message may decode to; for more {@link DecodeLimitError} is thrown. Text in a list, an entry of a map and a
   * message count one each, bytes and an unknown field that is kept two, a message of many fields one more for every four; numbers,
   * packed or not, do not count. Default: Infinity, for bytes that one trusts.
   */
  readonly maxDecodedValues?: number;
}

export interface CodecOptions extends DecodeLimits {
  /**
   * What a bytes field holds after decoding: memory of its own (`"copy"`, the default), or a view of the bytes that were decoded
   * (`"view"`), which keeps them in memory and shows whatever is written there later.
   */
  readonly bytes?: "copy" | "view";
  /**
   * Fields that the type does not have: kept in `$unknown` (`"keep"`, the default) or dropped. Those in a range that the type declares
   * for extensions are kept in either case.
   */
  readonly unknownFields?: "keep" | "drop";
}

export const CODEC_OPTIONS = {
  bytes: true,
  unknownFields: true,
  maxDecodedValues: true,
} as const satisfies OptionTable<CodecOptions>;
