/**
 * The codec of one message type: what a method binds once. Owns the contract between the runtime and whatever encodes;
 * for protobuf messages it is carried out by protobuf-es.
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

export interface MessageCodec<Shape, Init> {
  /** The message in `bytes[start, end)`; keeps no view of `bytes`. Throws on malformed input. */
  decode(bytes: Buffer, start: number, end: number): Shape;
  /** Throws for a value that is no message of this type nor its fields, and for a field of the wrong type. */
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

/** A reservation never asks for less, nor for more because of one large message. */
const MIN_ESTIMATE = 256;
const MAX_ESTIMATE = 8_192;

const READ_OPTIONS = { readUnknownFields: true } as const;

export function codecOf<Desc extends DescMessage>(
  schema: Desc,
): MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>> {
  return new ProtobufCodec(schema);
}

class ProtobufCodec<Desc extends DescMessage> implements MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>> {
  estimate = MIN_ESTIMATE;
  private readonly schema: Desc;

  constructor(schema: Desc) {
    this.schema = schema;
  }

  decode(bytes: Buffer, start: number, end: number): MessageShape<Desc> {
    // protobuf-es gives views for bytes fields; a message must not keep a socket chunk alive or see it change.
    return fromBinary(this.schema, new Uint8Array(bytes.subarray(start, end)), READ_OPTIONS);
  }

  encode(message: MessageInitShape<Desc>): Uint8Array {
    checkMessage(message, this.schema.typeName);
    return toBinary(this.schema, create(this.schema, message));
  }

  encodeInto(message: MessageInitShape<Desc>, target: Buffer, offset: number, limit: number): number {
    const bytes = this.encode(message);
    this.estimate = Math.min(MAX_ESTIMATE, Math.max(MIN_ESTIMATE, bytes.length));
    if (bytes.length > limit) return -1;
    target.set(bytes, offset);
    return bytes.length;
  }
}

/** Without this, nothing at all and a message of another type would be sent as an empty message. */
function checkMessage(message: unknown, typeName: string): void {
  if (typeof message !== "object" || message === null) {
    const given = message === null || message === undefined ? String(message) : `a ${typeof message}`;
    throw new TypeError(
      `${given} was given for ${typeName}; it takes a message of this type, or an object of its fields`,
    );
  }
  const { $typeName } = message as { readonly $typeName?: unknown };
  if ($typeName !== undefined && $typeName !== typeName) {
    throw new TypeError(`a message of type ${String($typeName)} was given for ${typeName}`);
  }
}
