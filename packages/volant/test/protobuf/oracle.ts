/**
 * protobuf-es as the judge of our codecs: the same verdict on any bytes, the same message from good ones, the same bytes from a message.
 * Used by the tests and, with more time, by the fuzzer.
 *
 * One difference is meant. Where a message has a value that a closed enum does not know and an unknown field as well, protobuf-es
 * loses the former; we keep both.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { DecodeError } from "../../src/protobuf/codec-error.ts";
import { ClosureEngine, CompilingEngine, type Engine } from "../../src/protobuf/compile.ts";
import { ProtobufCodec } from "../../src/protobuf/message-codec.ts";
import { toPlain } from "./random-message.ts";

/** Around the bytes of a message: what lies beside it in a socket chunk. */
const MARGIN = 9;
const FILLER = 0x81;

export interface Codecs {
  readonly schema: DescMessage;
  /** One of each engine. */
  readonly all: readonly Pick<ProtobufCodec<DescMessage>, "decode" | "encode" | "encodeInto" | "estimate">[];
}

const ENGINES: readonly Engine[] = [new CompilingEngine(), new ClosureEngine()];

export function codecsOf(schema: DescMessage): Codecs {
  return { schema, all: ENGINES.map((engine) => new ProtobufCodec(schema, {}, engine)) };
}

type Outcome = { readonly message: unknown } | { readonly error: unknown };

function attempt(decode: () => unknown): Outcome {
  try {
    return { message: decode() };
  } catch (error) {
    return { error };
  }
}

/** Returns whether the bytes were accepted. */
export function compareDecode({ schema, all }: Codecs, bytes: Uint8Array): boolean {
  const expected = attempt(() => fromBinary(schema, bytes));
  for (const codec of all) {
    const chunk = Buffer.alloc(bytes.length + 2 * MARGIN, FILLER);
    chunk.set(bytes, MARGIN);
    const actual = attempt(() => codec.decode(chunk, MARGIN, MARGIN + bytes.length));
    // A message that looked at the chunk again would change.
    chunk.fill(0xaa);
    assertSameOutcome(schema, actual, expected);
  }
  return "message" in expected;
}

function assertSameOutcome(schema: DescMessage, actual: Outcome, expected: Outcome): void {
  if ("error" in actual) {
    assert.ok(actual.error instanceof DecodeError, `an error of the codec, not ${String(actual.error)}`);
    assert.notEqual(actual.error.typeName, "", "the error names the message type");
    assert.ok("error" in expected, `protobuf-es accepts it: ${actual.error.message}`);
    return;
  }
  assert.ok("message" in expected, `protobuf-es refuses it: ${"error" in expected ? String(expected.error) : ""}`);
  if (isDeepStrictEqual(actual.message, expected.message)) return;
  const [ours, theirs] = [actual.message, expected.message].map((message) => withoutUnknownEnums(message, schema));
  assert.deepStrictEqual(ours, theirs);
}

function withoutUnknownEnums(value: unknown, schema: DescMessage): unknown {
  const numbers = closedEnumNumbers(schema, new Set());
  const strip = (inner: unknown): unknown => {
    if (inner === null || typeof inner !== "object" || inner instanceof Uint8Array) return inner;
    if (Array.isArray(inner)) return inner.map(strip);
    const copy: Record<string, unknown> = Object.create(Object.getPrototypeOf(inner));
    for (const [key, item] of Object.entries(inner)) {
      const kept = key === "$unknown" ? (item as { no: number }[]).filter(({ no }) => !numbers.has(no)) : strip(item);
      if (key === "$unknown" && (kept as unknown[]).length === 0) continue;
      Object.defineProperty(copy, key, { value: kept, enumerable: true, writable: true, configurable: true });
    }
    return copy;
  };
  return strip(value);
}

function closedEnumNumbers(schema: DescMessage, seen: Set<DescMessage>): Set<number> {
  const numbers = new Set<number>();
  seen.add(schema);
  for (const field of schema.fields) {
    if (field.fieldKind === "enum" && !field.enum.open) numbers.add(field.number);
    if (field.message === undefined || seen.has(field.message)) continue;
    for (const number of closedEnumNumbers(field.message, seen)) numbers.add(number);
  }
  return numbers;
}

/** `message` is valid: all of it is compared, and what a handler might return instead of it. */
export function compareEncode({ schema, all }: Codecs, message: Message): Uint8Array {
  const expected = toBinary(schema, message);
  const init = toPlain(message) as MessageInitShape<DescMessage>;
  const expectedOfInit = toBinary(schema, create(schema, init));
  for (const codec of all) {
    assertSameBytes(codec.encode(message as never), expected);
    assertSameBytes(codec.encode(init), expectedOfInit);
    assertFits(codec, message, expected);
  }
  return expected;
}

function assertFits(codec: Codecs["all"][number], message: Message, expected: Uint8Array): void {
  const { length } = expected;
  const target = Buffer.alloc(length + 2 * MARGIN, FILLER);
  const filler = target.subarray(0, MARGIN).toString("hex");
  assert.equal(codec.encodeInto(message as never, target, MARGIN, length), length);
  assertSameBytes(target.subarray(MARGIN, MARGIN + length), expected);
  if (length > 0) assert.equal(codec.encodeInto(message as never, target, MARGIN, length - 1), -1);
  assert.equal(target.subarray(0, MARGIN).toString("hex"), filler, "nothing in front is written");
  assert.equal(target.subarray(MARGIN + length).toString("hex"), filler, "nothing behind the limit is written");
}

function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  assert.equal(Buffer.from(actual).toString("hex"), Buffer.from(expected).toString("hex"));
}
