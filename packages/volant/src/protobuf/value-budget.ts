/**
 * How many values one message may decode to. Owns what counts and how much; decoders count, and call here once nothing is left.
 *
 * Memory and time follow the values that a message becomes, not its bytes: an empty message in a list is two bytes and may be an object
 * with a hundred properties. Without this limit 4 MiB of such bytes take gigabytes.
 *
 * A message or group counts {@link messageValues}; a Struct, a list of a Struct, text in a list or in a Struct and an entry of a map
 * count one; bytes and an unknown field that is kept count {@link BYTES_VALUES}, for the object with its memory. Messages that are merged
 * count each time. Numbers, booleans and enums never count, nor does text in a singular field: the bytes of the message bound these.
 */
import { DecodeLimitError } from "./codec-error.ts";
import { cursor } from "./varint.ts";

export const BYTES_VALUES = 2;

/** For a budget without end. A small integer, so that counting stays cheap. */
const UNLIMITED = 0x3fff_ffff;

/** Of one message: its object, and what its fields add to that, set or not: a slot each, a list, a map, a oneof. */
export function messageValues(members: number): number {
  return 1 + (members >>> 2);
}

/** What the counter starts from. Throws RangeError for what is no such limit. */
export function resolveMaxDecodedValues(given: number = Number.POSITIVE_INFINITY): number {
  if (typeof given !== "number" || !(given >= 0)) {
    throw new RangeError(`maxDecodedValues: ${given} given, a number from 0, or Infinity, is allowed`);
  }
  return Math.min(Math.floor(given), UNLIMITED);
}

/** `cursor.valuesLeft` fell below zero. */
export function noValuesLeft(): void {
  if (cursor.valuesAllowed < UNLIMITED) throw new DecodeLimitError(cursor.valuesAllowed);
  cursor.valuesLeft = UNLIMITED;
}

/** Of a kind that is not worth counting in place. */
export function countValues(count: number): void {
  cursor.valuesLeft -= count;
  if (cursor.valuesLeft < 0) noValuesLeft();
}
