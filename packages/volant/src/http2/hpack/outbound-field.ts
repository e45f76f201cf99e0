/**
 * A field to send and its two representations on the wire, shared by the encoder and the static blocks. Must not know
 * a dynamic table. Invariant: a field never takes more than its bound. RFC 7541 §6.1, §6.2, §7.1.3.
 */
import { UsageError } from "../usage-error.ts";
import { FIELD_OVERHEAD_BYTES } from "./field.ts";
import { NOT_OCTETS } from "./huffman-encode.ts";
import { MAX_INTEGER_OCTETS, writeInteger } from "./integer.ts";
import { writeString } from "./string-literal.ts";

/** What a field may do to the dynamic tables of both ends. */
export const Indexing = {
  /** Inserted, unless it is larger than the table: names and values that come again. */
  INCREMENTAL: 0,
  /** Not inserted, but sent as an index if it is in a table: values that change with each call. */
  WITHOUT: 1,
  /** Always a literal that no intermediary may index either: secrets, RFC 7541 §7.1.3. */
  NEVER: 2,
} as const;

export type Indexing = (typeof Indexing)[keyof typeof Indexing];

export interface OutboundField {
  readonly name: string;
  /** One character for each octet (latin1); a character above 0xFF is a UsageError. */
  readonly value: string;
  readonly indexing: Indexing;
}

/** First octet of a literal, and how many of its bits the name's index has, by {@link Indexing}. RFC 7541 §6.2. */
const PATTERNS = [0x40, 0x00, 0x10] as const;
const INDEX_BITS = [6, 4, 4] as const;

/** An index and two string lengths at their longest. */
const FIELD_OVERHEAD_BOUND = 3 * MAX_INTEGER_OCTETS;

/** Octets that the fields take at most, in any representation. */
export function fieldsBound(fields: readonly OutboundField[]): number {
  let bound = fields.length * FIELD_OVERHEAD_BOUND;
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at]!;
    bound += field.name.length + field.value.length;
  }
  return bound;
}

/** The size of a header list as RFC 9113 §6.5.2 counts it: names, values, and 32 for each field. */
export function listBytes(fields: readonly { readonly name: string; readonly value: string }[]): number {
  let bytes = fields.length * FIELD_OVERHEAD_BYTES;
  for (let at = 0; at < fields.length; at++) {
    const { name, value } = fields[at]!;
    bytes += name.length + value.length;
  }
  return bytes;
}

export function writeIndexed(target: Uint8Array, offset: number, index: number): number {
  return writeInteger(target, offset, 0x80, 7, index);
}

/** Writes a literal. `nameIndex` 0 spells the name out. */
export function writeLiteral(
  target: Uint8Array,
  offset: number,
  nameIndex: number,
  field: OutboundField,
  indexing: Indexing,
): number {
  let next = writeInteger(target, offset, PATTERNS[indexing], INDEX_BITS[indexing], nameIndex);
  if (nameIndex === 0) {
    next = writeString(target, next, field.name);
    if (next === NOT_OCTETS) throw notOctets("name", field, field.name);
  }
  next = writeString(target, next, field.value);
  if (next === NOT_OCTETS) throw notOctets("value", field, field.value);
  return next;
}

/** Names the field and the place, never the value, which may be a secret. */
function notOctets(part: "name" | "value", field: OutboundField, text: string): UsageError {
  const at = Array.from(text, (_, position) => text.charCodeAt(position)).findIndex((code) => code > 0xff);
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  return new UsageError(
    `The ${part} of header field ${JSON.stringify(field.name)} has U+${code} at position ${at}; one character is one ` +
      "octet here, so only U+0000 to U+00FF are allowed. Encode the text first (UTF-8, percent or base64).",
  );
}
