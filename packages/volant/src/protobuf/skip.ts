/**
 * Stepping over values without reading them. Owns how deep messages and groups may nest; knows no message.
 *
 * Invariant: nothing at or behind `limit` is read.
 */
import { DecodeError } from "./codec-error.ts";
import { cursor, illegalTag, readCheckedTag, readLength, truncated } from "./varint.ts";

/** Messages inside of messages, the outermost counted; groups that are skipped count too. That of protobuf-es. */
export const MAX_DEPTH = 100;

/** Steps over the value behind `tag`. `depth` is how many groups may still open. */
export function skipValue(bytes: Uint8Array, at: number, limit: number, tag: number, depth: number): void {
  switch (tag & 7) {
    case 0:
      skipVarint(bytes, at, limit);
      return;
    case 1:
      if (limit - at < 8) truncated();
      cursor.position = at + 8;
      return;
    case 2: {
      const length = readLength(bytes, at, limit);
      cursor.position += length;
      return;
    }
    case 3:
      skipGroup(bytes, at, limit, tag >>> 3, depth);
      return;
    case 5:
      if (limit - at < 4) truncated();
      cursor.position = at + 4;
      return;
    case 4:
      throw new DecodeError(`group ${tag >>> 3} ends and was not open`);
    default:
      illegalTag(tag);
  }
}

/** Of any length: nobody reads the value. */
function skipVarint(bytes: Uint8Array, at: number, limit: number): void {
  let position = at;
  while (position < limit && bytes[position]! > 127) position++;
  if (position >= limit) truncated();
  cursor.position = position + 1;
}

function skipGroup(bytes: Uint8Array, at: number, limit: number, number: number, depth: number): void {
  if (depth <= 0) tooDeep();
  cursor.position = at;
  for (;;) {
    const tag = readCheckedTag(bytes, cursor.position, limit);
    if ((tag & 7) === 4) {
      if (tag >>> 3 !== number) wrongGroupEnd(number, tag);
      return;
    }
    skipValue(bytes, cursor.position, limit, tag, depth - 1);
  }
}

export function tooDeep(): never {
  throw new DecodeError(`messages are nested more than ${MAX_DEPTH} deep`);
}

/** `tag` is that of the end which came instead, or 0 where none did. */
export function wrongGroupEnd(number: number, tag: number): never {
  const found = tag === 0 ? "the bytes end" : `group ${tag >>> 3} ends`;
  throw new DecodeError(`group ${number} is open where ${found}`);
}
