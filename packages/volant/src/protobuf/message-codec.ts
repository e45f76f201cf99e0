/**
 * The codec of one protobuf message type: compiled functions with memory around them. Owns where octets are written before their
 * number is known, and the estimate; knows nothing of fields.
 *
 * Getters of a message are user code and may encode another message meanwhile: the scratch buffer is taken while it is in use.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { checkOptions, describeGiven } from "../rpc/option-names.ts";
import { CODEC_OPTIONS, type CodecOptions, type DecodeLimits, type MessageCodec } from "./codec.ts";
import { EncodeError } from "./codec-error.ts";
import { createEngine, type Engine } from "./compile.ts";
import { planOf } from "./plan.ts";
import { checkMessage, type DecodeMessage, type EncodeMessage } from "./runtime.ts";
import { resolveMaxDecodedValues } from "./value-budget.ts";
import { cursor, OVERFLOW } from "./varint.ts";

/** A reservation never asks for less, nor for more because of one large message. */
const MIN_ESTIMATE = 256;
const MAX_ESTIMATE = 8_192;

const SCRATCH_BYTES = 16_384;
/** A larger buffer is not kept. */
const MAX_SCRATCH_BYTES = 1_048_576;
/**
 * The encoder wants room for the longest form of what it writes next. With so much behind the limit, a message that does not fit there
 * has certainly passed the limit.
 */
const SLACK_BYTES = 1_024;

export function codecOf<Desc extends DescMessage>(
  schema: Desc,
  options?: CodecOptions,
): MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>> {
  checkOptions("codecOf()", options, CODEC_OPTIONS);
  if (options !== undefined) checkChoices(options);
  return new ProtobufCodec(schema, options);
}

function checkChoices({ bytes = "copy", unknownFields = "keep" }: CodecOptions): void {
  if (bytes !== "copy" && bytes !== "view") {
    throw new TypeError(`codecOf(): bytes: ${describeGiven(bytes)} given, "copy" or "view" is allowed`);
  }
  if (unknownFields !== "keep" && unknownFields !== "drop") {
    throw new TypeError(`codecOf(): unknownFields: ${describeGiven(unknownFields)} given, "keep" or "drop" is allowed`);
  }
}

let scratch: Buffer | undefined;
let sharedEngine: Engine | undefined;

export class ProtobufCodec<Desc extends DescMessage>
  implements MessageCodec<MessageShape<Desc>, MessageInitShape<Desc>>
{
  estimate = MIN_ESTIMATE;
  private readonly schema: Desc;
  private readonly options: CodecOptions;
  private readonly views: boolean;
  private readonly keepUnknown: boolean;
  private readonly valuesAllowed: number;
  private engine: Engine | undefined;
  private lastLength = 0;
  private encodeMessage: EncodeMessage | undefined;
  private decodeMessage: DecodeMessage | undefined;

  /** `engine` is for tests: the one of the process otherwise. */
  constructor(schema: Desc, options: CodecOptions = {}, engine?: Engine) {
    const { bytes = "copy", unknownFields = "keep" } = options;
    this.schema = schema;
    this.options = options;
    this.views = bytes === "view";
    this.keepUnknown = unknownFields === "keep";
    this.valuesAllowed = resolveMaxDecodedValues(options.maxDecodedValues);
    this.engine = engine;
  }

  withLimits(limits: DecodeLimits): ProtobufCodec<Desc> {
    return new ProtobufCodec(this.schema, { ...this.options, ...limits }, this.engine);
  }

  decode(bytes: Uint8Array, start: number, end: number): MessageShape<Desc> {
    const decodeMessage = this.decodeMessage ?? this.prepareDecoder();
    if (start < 0 || end > bytes.length || start > end) {
      throw new RangeError(`cannot decode octets ${start} to ${end} of ${bytes.length}`);
    }
    cursor.views = this.views;
    cursor.keepUnknown = this.keepUnknown;
    cursor.valuesAllowed = this.valuesAllowed;
    cursor.valuesLeft = this.valuesAllowed;
    return decodeMessage(bytes, start, end, end, 1, undefined) as MessageShape<Desc>;
  }

  encode(message: MessageInitShape<Desc>): Buffer {
    let buffer = takeScratch(this.lastLength + (this.lastLength >> 2));
    for (;;) {
      const length = this.tryEncode(message, buffer, 0, buffer.length);
      if (length >= 0) return this.finish(buffer, length);
      buffer = Buffer.allocUnsafeSlow(buffer.length * 4);
    }
  }

  encodeInto(message: MessageInitShape<Desc>, target: Uint8Array, offset: number, limit: number): number {
    const room = Math.min(limit, target.length - offset);
    if (room < 0) return -1;
    const length = this.tryEncode(message, target, offset, offset + room);
    if (length < 0) return this.encodeTight(message, target, offset, room);
    this.learn(length);
    return length;
  }

  /** The message surely or nearly does not fit. */
  private encodeTight(message: MessageInitShape<Desc>, target: Uint8Array, offset: number, room: number): number {
    const buffer = takeScratch(room + SLACK_BYTES);
    const length = this.tryEncode(message, buffer, 0, room + SLACK_BYTES);
    keepScratch(buffer);
    if (length < 0 || length > room) {
      this.estimate = MAX_ESTIMATE;
      return -1;
    }
    target.set(buffer.subarray(0, length), offset);
    this.learn(length);
    return length;
  }

  /** -1 where it does not fit. */
  private tryEncode(message: MessageInitShape<Desc>, target: Uint8Array, offset: number, end: number): number {
    const encodeMessage = this.encodeMessage ?? this.prepareEncoder();
    try {
      if (message === null) checkMessage(planOf(this.schema), undefined, null, undefined);
      // A handler that returns nothing gives the empty message, as create() without an init does.
      return encodeMessage(message ?? {}, target, offset, end, undefined) - offset;
    } catch (error) {
      if (error === OVERFLOW) return -1;
      throw error instanceof RangeError ? this.nameRangeError(error) : error;
    }
  }

  private nameRangeError(error: RangeError): EncodeError {
    const reason = "the message contains itself, or is nested too deeply";
    return Object.assign(new EncodeError(this.schema.typeName, undefined, reason), { cause: error });
  }

  private finish(buffer: Buffer, length: number): Buffer {
    this.learn(length);
    if (buffer.length > MAX_SCRATCH_BYTES) return buffer.subarray(0, length);
    keepScratch(buffer);
    const bytes = Buffer.allocUnsafe(length);
    buffer.copy(bytes, 0, 0, length);
    return bytes;
  }

  private learn(length: number): void {
    this.lastLength = length;
    this.estimate = Math.min(MAX_ESTIMATE, Math.max(MIN_ESTIMATE, length));
  }

  private prepareEncoder(): EncodeMessage {
    this.encodeMessage = this.useEngine().encoder(this.schema);
    return this.encodeMessage;
  }

  private prepareDecoder(): DecodeMessage {
    this.decodeMessage = this.useEngine().decoder(this.schema);
    return this.decodeMessage;
  }

  private useEngine(): Engine {
    sharedEngine ??= createEngine();
    this.engine ??= sharedEngine;
    return this.engine;
  }
}

function takeScratch(atLeast: number): Buffer {
  const buffer = scratch;
  if (buffer === undefined || buffer.length < atLeast) return Buffer.allocUnsafeSlow(Math.max(SCRATCH_BYTES, atLeast));
  scratch = undefined;
  return buffer;
}

function keepScratch(buffer: Buffer): void {
  if (buffer.length > MAX_SCRATCH_BYTES) return;
  if (scratch === undefined || scratch.length < buffer.length) scratch = buffer;
}
