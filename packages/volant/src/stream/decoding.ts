/**
 * What messages of the other side may become here: the options that servers and channels share, and the codec that a method is bound to
 * because of them. Resolved once for each method, so that a call pays nothing.
 */
import type { MessageCodec, MethodInfo } from "../rpc/method.ts";
import { inRange } from "../rpc/option-range.ts";

export interface DecodingOptions {
  /**
   * Fields of received messages that their type does not have: dropped, or kept in `$unknown` for whoever sends the message on; a function
   * says it for each method, when the method is added to a server or a client is created. Default: `"drop"`, since a peer may send two
   * million of them in 4 MiB. Those in a range that the type declares for extensions are kept in either case, and count.
   */
  readonly unknownFields?: UnknownFields | ((method: MethodInfo) => UnknownFields);
  /**
   * Values that one received message may decode to: text in lists, entries of maps and messages count one each, bytes and unknown fields
   * that are kept two, a message of many fields one more for every four. Numbers do not count, packed or not. Default: a quarter of
   * `maxReceiveMessageBytes`, 1,048,576 for 4 MiB, and never less than 65,536: messages in real use have more than four bytes for each value.
   * Memory: about 100 bytes a value. A message with more is refused with RESOURCE_EXHAUSTED while it is being decoded. Infinity turns it
   * off: then 4 MiB of empty messages become gigabytes of objects. Codecs of `fromGrpcJs` do not count.
   */
  readonly maxDecodedValues?: number;
}

export type UnknownFields = "drop" | "keep";

export interface Decoding {
  readonly unknownFields: UnknownFields | ((method: MethodInfo) => UnknownFields);
  readonly maxDecodedValues: number;
}

const BYTES_A_VALUE = 4;
const LEAST_VALUES = 65_536;

/** Throws RangeError or TypeError naming the option, what was given and what is allowed. */
export function resolveDecoding(options: DecodingOptions, maxMessageBytes: number): Decoding {
  const { unknownFields = "drop" } = options;
  if (typeof unknownFields !== "function") checkChoice(unknownFields);
  const initial = Math.max(LEAST_VALUES, Math.floor(maxMessageBytes / BYTES_A_VALUE));
  const maxDecodedValues = inRange("maxDecodedValues", options.maxDecodedValues ?? initial, 0);
  return Object.freeze({ unknownFields, maxDecodedValues });
}

/** The codec that decodes messages of `method` as the options say. */
export function codecFor(
  codec: MessageCodec<unknown, unknown>,
  method: MethodInfo,
  { unknownFields: given, maxDecodedValues }: Decoding,
): MessageCodec<unknown, unknown> {
  const unknownFields = typeof given === "function" ? given(method) : given;
  checkChoice(unknownFields);
  return codec.withLimits === undefined ? codec : codec.withLimits({ unknownFields, maxDecodedValues });
}

function checkChoice(given: unknown): void {
  if (given === "drop" || given === "keep") return;
  const text = typeof given === "string" ? JSON.stringify(given) : `a value of type ${typeof given}`;
  throw new TypeError(
    `unknownFields: ${text} given, "drop" or "keep" is allowed, or a function of a method that returns one`,
  );
}
