/**
 * Keys of maps as text. Owns the keys that were read lately: those of a map are the same few from message to message.
 *
 * Hot path: a key that is known costs a comparison instead of a new string, which the engine would have to look up among all
 * names of properties before it could set one: a map of two entries is decoded in two thirds of the time.
 *
 * A key is learnt when it comes a second time in a row at its place: a message of keys that differ teaches nothing, and costs nothing for it.
 *
 * Invariant: a fixed number of short ASCII keys is held, whatever arrives; what is returned equals what `readText` returns.
 */
import { readText } from "./text.ts";

const SLOTS = 256;
const MAX_KEPT = 24;

/** By a mixture of length and octets; the latest of those that share a place stays. */
const kept: string[] = new Array<string>(SLOTS).fill("");
/** The latest at each place that was not kept. */
const seen: string[] = new Array<string>(SLOTS).fill("");

/** Without a prototype, and so a hash table: an ordinary object would get a shape of its own for each key. */
const names: Record<string, true> = Object.create(null);

/** The text in `bytes[start, start + length)`. */
export function readKey(bytes: Uint8Array, start: number, length: number): string {
  if (length === 0 || length > MAX_KEPT) return readText(bytes, start, length);
  const mixture = length * 37 + bytes[start]! * 5 + bytes[start + (length >> 1)]! * 3 + bytes[start + length - 1]! * 11;
  const slot = mixture & (SLOTS - 1);
  const known = kept[slot]!;
  if (isSame(known, bytes, start, length)) return known;
  const before = seen[slot]!;
  if (isSame(before, bytes, start, length)) {
    kept[slot] = nameOf(before);
    return kept[slot];
  }
  const text = readText(bytes, start, length);
  // Fewer characters than octets: not ASCII, and not to be told from octets one by one.
  if (text.length === length) seen[slot] = text;
  return text;
}

/** The same string as the one that the engine looks up. */
function nameOf(text: string): string {
  names[text] = true;
  const name = Object.keys(names)[0]!;
  delete names[text];
  return name;
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  let at = 0;
  while (at < length && text.charCodeAt(at) === bytes[start + at]) at++;
  return at === length;
}
