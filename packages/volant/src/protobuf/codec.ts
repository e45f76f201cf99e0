/**
 * The codec of one message type: what a method binds once. Owns the contract between the runtime and whatever encodes.
 */

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
}

export interface CodecOptions {
  /**
   * What a bytes field holds after decoding: memory of its own (`"copy"`, the default), or a view of the bytes that were decoded
   * (`"view"`), which keeps them in memory and shows whatever is written there later.
   */
  readonly bytes?: "copy" | "view";
  /** Fields that the type does not have: kept in `$unknown` (`"keep"`, the default) or dropped. */
  readonly unknownFields?: "keep" | "drop";
}
