/**
 * Fields that a message type does not have. Owns how they are kept: one range of bytes a message, whatever their number, which becomes
 * the `$unknown` of protobuf-es: at once where they are few, and otherwise when somebody looks at it. Encoding writes the range back
 * without that.
 *
 * An entry of `$unknown` with memory of its own costs 300 bytes for a field of two. A message with a few is a plain object like any other;
 * one with more has an accessor in place of the property, which turns into the property when it is read or set.
 *
 * Invariant: `$unknown` is what protobuf-es makes of the same bytes, whoever reads, copies, changes or encodes it.
 */
import type { UnknownField } from "@bufbuild/protobuf";
import type { NumberRange } from "./plan.ts";
import { skipValue } from "./skip.ts";
import { BYTES_VALUES, countValues } from "./value-budget.ts";
import { cursor, illegalTag, OVERFLOW, readCheckedTag, varintSize, writeVarint32, writeVarint64 } from "./varint.ts";

/** Up to so many fields are made into `$unknown` with their message. */
const FEW_FIELDS = 8;
const LEAST_BYTES = 24;
const SMALL_BYTES = 1_024;
const COPY_BY_OCTET = 24;
/** Groups were counted when they were read. */
const ANY_DEPTH = 1_000;

const HELD: unique symbol = Symbol("unknown fields as bytes");

interface Holder {
  $unknown?: UnknownField[] | undefined;
  [HELD]?: HeldFields | undefined;
}

/** Tags and values of fields, one behind the other. */
export class HeldFields {
  bytes: Uint8Array = new Uint8Array(LEAST_BYTES);
  length = 0;
  count = 0;
  /** What a frozen message showed. */
  shown: UnknownField[] | undefined = undefined;

  /** The value is `source[start, end)`. */
  append(tag: number, source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(varintSize(tag) + size);
    const at = writeVarint32(this.bytes, this.length, tag);
    if (size > COPY_BY_OCTET) this.bytes.set(source.subarray(start, end), at);
    else for (let index = 0; index < size; index++) this.bytes[at + index] = source[start + index]!;
    this.length = at + size;
    this.count++;
  }

  /** Small ranges are copied: a view would make the engine move the bytes out of its heap. */
  toFields(): UnknownField[] {
    const { bytes, length } = this;
    const isSmall = this.count <= FEW_FIELDS && length <= SMALL_BYTES;
    const { position } = cursor;
    const fields: UnknownField[] = [];
    for (let at = 0; at < length; at = cursor.position) {
      const tag = readCheckedTag(bytes, at, length);
      const start = cursor.position;
      skipValue(bytes, start, length, tag, ANY_DEPTH);
      const data = isSmall ? bytes.slice(start, cursor.position) : bytes.subarray(start, cursor.position);
      fields.push({ no: tag >>> 3, wireType: tag & 7, data });
    }
    cursor.position = position;
    return fields;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

/** Steps over a field that the message does not have, and keeps it unless it is not wanted. Sets {@link cursor}. */
export function takeUnknown(
  held: HeldFields | undefined,
  bytes: Uint8Array,
  at: number,
  limit: number,
  tag: number,
  depth: number,
  extensions?: readonly NumberRange[],
): HeldFields | undefined {
  if (tag < 8) illegalTag(tag);
  skipValue(bytes, at, limit, tag, depth);
  if (!cursor.keepUnknown && !isIn(extensions, tag >>> 3)) return held;
  countValues(BYTES_VALUES);
  const fields = held ?? new HeldFields();
  fields.append(tag, bytes, at, cursor.position);
  return fields;
}

/**
 * Keeps a value that a closed enum does not have: as the varint that was read, whatever wire type its tag claimed. protobuf-es keeps the
 * claim too, and then writes what nobody can read.
 */
export function takeUnknownEnum(held: HeldFields | undefined, tag: number, value: number): HeldFields | undefined {
  if (!cursor.keepUnknown) return held;
  countValues(BYTES_VALUES);
  const octets = new Uint8Array(10);
  const length = value < 0 ? writeVarint64(octets, 0, value, -1) : writeVarint32(octets, 0, value);
  const fields = held ?? new HeldFields();
  fields.append((tag & ~7) >>> 0, octets, 0, length);
  return fields;
}

function isIn(ranges: readonly NumberRange[] | undefined, number: number): boolean {
  return ranges?.some(({ start, end }) => number >= start && number < end) ?? false;
}

/** Those of a message that comes again and is merged. */
export function takeHeld(message: Holder): HeldFields | undefined {
  if (!("$unknown" in message)) return undefined;
  const held = message[HELD];
  if (held !== undefined) return held;
  const collected = new HeldFields();
  for (const { no, wireType, data } of message.$unknown ?? []) {
    collected.append(((no << 3) | wireType) >>> 0, data, 0, data.length);
  }
  return collected;
}

export function attachHeld(message: Holder, held: HeldFields): void {
  if (held.count <= FEW_FIELDS) {
    message.$unknown = held.toFields();
    return;
  }
  Object.defineProperty(message, HELD, { value: held, writable: true, configurable: true, enumerable: false });
  Object.defineProperty(message, "$unknown", ACCESSOR);
}

/** Writes what `message.$unknown` has; it is there, if only as an accessor. */
export function writeUnknown(bytes: Uint8Array, at: number, limit: number, message: Holder): number {
  const held = message[HELD];
  if (
    held !== undefined &&
    held.shown === undefined &&
    Object.getOwnPropertyDescriptor(message, "$unknown")?.get === ACCESSOR.get
  ) {
    if (limit - at < held.length) throw OVERFLOW;
    bytes.set(held.bytes.subarray(0, held.length), at);
    return at + held.length;
  }
  return writeFields(bytes, at, limit, message.$unknown ?? []);
}

function writeFields(bytes: Uint8Array, at: number, limit: number, fields: readonly UnknownField[]): number {
  let position = at;
  for (const { no, wireType, data } of fields) {
    const tag = ((no << 3) | wireType) >>> 0;
    if (limit - position < varintSize(tag) + data.length) throw OVERFLOW;
    position = writeVarint32(bytes, position, tag);
    bytes.set(data, position);
    position += data.length;
  }
  return position;
}

const ACCESSOR = {
  get(this: Holder): UnknownField[] | undefined {
    const held = this[HELD];
    if (held === undefined) return undefined;
    held.shown ??= held.toFields();
    // A frozen message keeps its accessor, which shows the same list again.
    if (Object.getOwnPropertyDescriptor(this, "$unknown")?.configurable === true) settle(this, held.shown);
    return held.shown;
  },
  set(this: Holder, fields: UnknownField[] | undefined): void {
    settle(this, fields);
  },
  enumerable: true,
  configurable: true,
};

function settle(message: Holder, fields: UnknownField[] | undefined): void {
  Object.defineProperty(message, "$unknown", { value: fields, writable: true, enumerable: true, configurable: true });
  message[HELD] = undefined;
}
