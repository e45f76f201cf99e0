/**
 * Custom metadata to header fields and back.
 *
 * Must not know: the `Metadata` class (works on plain entries) and what any key means.
 * Invariants: order and duplicates survive both ways; an entry that cannot travel never fails the call, it is left out and
 * named; nothing reserved leaves, nothing of the protocol's own words arrives.
 * Spec: gRPC PROTOCOL-HTTP2 "Custom-Metadata"; RFC 9113 §8.2.1; RFC 9110 §5.3.
 */

import { decodeBase64, encodeBase64, isBase64 } from "./base64.ts";
import { type Field, isProtocolName, isReservedName } from "./header-names.ts";

/** Text for ordinary keys, bytes for keys that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

export type MetadataEntry = readonly [key: string, value: MetadataValue];

/** `fault` says what was wrong with the peer's fields: the call ends with INTERNAL and that message. */
export interface DecodedMetadata {
  readonly entries: MetadataEntry[];
  readonly fault: string | undefined;
}

/**
 * The most binary values that one header block may carry, comma-joined ones counted each. Without it 16 KiB of commas
 * become sixteen thousand objects, past every limit on fields and bytes.
 */
export const MAX_BINARY_VALUES = 256;

const METADATA_KEY = /^[0-9a-z_.-]+$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

export function isMetadataKey(key: string): boolean {
  return METADATA_KEY.test(key);
}

export function isBinaryKey(key: string): boolean {
  return key.endsWith("-bin");
}

/** Whether the text may be the value of a key without `-bin`. */
export function isAsciiValue(text: string): boolean {
  return PRINTABLE_ASCII.test(text);
}

/**
 * Appends one field for each entry that can travel, in order. Returns the keys of those that cannot, for a log or a
 * counter: an illegal or reserved key, a text outside 0x20-0x7E, a value of the wrong kind for its key.
 */
export function appendMetadataFields(entries: Iterable<MetadataEntry>, fields: Field[]): readonly string[] {
  const dropped: string[] = [];
  for (const [name, value] of entries) {
    const text = isMetadataKey(name) && !isReservedName(name) ? encodeValue(name, value) : undefined;
    if (text === undefined) dropped.push(name);
    else fields.push({ name, value: text });
  }
  return dropped;
}

/** The metadata among received fields. Stops at the first fault; what came before it is in `entries`. */
export function decodeMetadata(fields: Iterable<Field>): DecodedMetadata {
  const entries: MetadataEntry[] = [];
  let room = MAX_BINARY_VALUES;
  for (const { name, value } of fields) {
    if (isProtocolName(name)) continue;
    if (!isBinaryKey(name)) {
      entries.push([name, value]);
      continue;
    }
    for (const part of splitJoined(value)) {
      if (room-- === 0) return { entries, fault: tooManyValues() };
      const bytes = decodeBase64(part);
      if (bytes === undefined) return { entries, fault: invalidBase64(name) };
      entries.push([name, bytes]);
    }
  }
  return { entries, fault: undefined };
}

/**
 * The fault that `decodeMetadata` would report, without building the entries: a call whose handler never looks at its
 * metadata must still be refused when a value is broken.
 */
export function findMetadataFault(fields: Iterable<Field>): string | undefined {
  let room = MAX_BINARY_VALUES;
  for (const { name, value } of fields) {
    if (!isBinaryKey(name) || isProtocolName(name)) continue;
    for (const part of splitJoined(value)) {
      if (room-- === 0) return tooManyValues();
      if (!isBase64(part)) return invalidBase64(name);
    }
  }
  return undefined;
}

function encodeValue(name: string, value: MetadataValue): string | undefined {
  if (isBinaryKey(name)) return typeof value === "string" ? undefined : encodeBase64(value);
  if (typeof value !== "string" || !isAsciiValue(value)) return undefined;
  // RFC 9113 §8.2.1: a value that starts or ends with a space makes the whole message malformed.
  return value.trim();
}

/** RFC 9110 §5.3: an intermediary may have joined equal names with commas, which base64 never contains. */
function* splitJoined(value: string): Generator<string> {
  let start = 0;
  for (let comma = value.indexOf(","); comma !== -1; comma = value.indexOf(",", start)) {
    yield value.slice(start, comma).trim();
    start = comma + 1;
  }
  yield value.slice(start).trim();
}

function invalidBase64(name: string): string {
  return `the value of metadata key "${name}" is not base64`;
}

function tooManyValues(): string {
  return `more than ${MAX_BINARY_VALUES} binary metadata values`;
}
