/**
 * Text as UTF-8. Owns what is text on the wire and what is not: a string with a lone surrogate is never written, and bytes that
 * are not UTF-8 are refused where the field wants that.
 *
 * Hot path: a short ASCII string costs less character by character than one call into the engine's native code; a longer one
 * costs a tenth that way. A text is written by character up to where the two cross; reading crosses later, and stops where
 * more cases would be more text than they save time.
 */
import { DecodeError } from "./codec-error.ts";
import { OVERFLOW, varintSize, writeVarint32 } from "./varint.ts";

const READ_BY_CHARACTER = 24;
/** Up to here the cases are those of one function. */
const SHORT = 12;
const WRITE_BY_CHARACTER = 12;

/** A UTF-16 code unit takes at most three octets. */
const MAX_OCTETS_PER_UNIT = 3;

interface NativeText {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

// What `toString("utf8", …)` and `write(…, "utf8")` call after looking at their arguments.
const { utf8Slice, utf8Write } = Buffer.prototype as unknown as NativeText;

const { fromCharCode: fromCodes } = String;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text in `bytes[start, start + length)`. */
export function readText(bytes: Uint8Array, start: number, length: number): string {
  if (length === 0) return "";
  if (length <= READ_BY_CHARACTER) {
    const text = readShort(bytes, start, length);
    if (text !== undefined) return text;
  }
  const text = utf8Slice.call(bytes, start, start + length);
  // The decoder puts U+FFFD for what is not UTF-8, so text without it was sound. ASCII is stored in one byte a character,
  // where the search knows at once that there is none.
  if (text.includes("\ufffd")) assertUtf8(bytes.subarray(start, start + length));
  return text;
}

/** The same for fields that accept anything (proto2). */
export function readLenientText(bytes: Uint8Array, start: number, length: number): string {
  if (length === 0) return "";
  if (length <= READ_BY_CHARACTER) {
    const text = readShort(bytes, start, length);
    if (text !== undefined) return text;
  }
  return utf8Slice.call(bytes, start, start + length);
}

/** Undefined where not all of it is ASCII. `length` is 1 to {@link READ_BY_CHARACTER}. */
function readShort(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length > SHORT) return readMedium(bytes, at, length);
  const a = bytes[at]!;
  if (length === 1) return a < 128 ? fromCodes(a) : undefined;
  const b = bytes[at + 1]!;
  if (length === 2) return (a | b) < 128 ? fromCodes(a, b) : undefined;
  const c = bytes[at + 2]!;
  if (length === 3) return (a | b | c) < 128 ? fromCodes(a, b, c) : undefined;
  const d = bytes[at + 3]!;
  if (length === 4) return (a | b | c | d) < 128 ? fromCodes(a, b, c, d) : undefined;
  if ((a | b | c | d) > 127) return undefined;
  const e = bytes[at + 4]!;
  if (length === 5) return e < 128 ? fromCodes(a, b, c, d, e) : undefined;
  const f = bytes[at + 5]!;
  if (length === 6) return (e | f) < 128 ? fromCodes(a, b, c, d, e, f) : undefined;
  const g = bytes[at + 6]!;
  if (length === 7) return (e | f | g) < 128 ? fromCodes(a, b, c, d, e, f, g) : undefined;
  const h = bytes[at + 7]!;
  if (length === 8) return (e | f | g | h) < 128 ? fromCodes(a, b, c, d, e, f, g, h) : undefined;
  if ((e | f | g | h) > 127) return undefined;
  const i = bytes[at + 8]!;
  if (length === 9) return i < 128 ? fromCodes(a, b, c, d, e, f, g, h, i) : undefined;
  const j = bytes[at + 9]!;
  if (length === 10) return (i | j) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j) : undefined;
  const k = bytes[at + 10]!;
  if (length === 11) return (i | j | k) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k) : undefined;
  const l = bytes[at + 11]!;
  return (i | j | k | l) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l) : undefined;
}

/** The same for lengths above {@link SHORT}. */
function readMedium(bytes: Uint8Array, at: number, length: number): string | undefined {
  const a = bytes[at]!;
  const b = bytes[at + 1]!;
  const c = bytes[at + 2]!;
  const d = bytes[at + 3]!;
  const e = bytes[at + 4]!;
  const f = bytes[at + 5]!;
  const g = bytes[at + 6]!;
  const h = bytes[at + 7]!;
  const i = bytes[at + 8]!;
  const j = bytes[at + 9]!;
  const k = bytes[at + 10]!;
  const l = bytes[at + 11]!;
  if ((a | b | c | d | e | f | g | h | i | j | k | l) > 127) return undefined;
  const m = bytes[at + 12]!;
  if (length === 13) return m < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m) : undefined;
  const n = bytes[at + 13]!;
  if (length === 14) return (m | n) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n) : undefined;
  const o = bytes[at + 14]!;
  if (length === 15) return (m | n | o) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) : undefined;
  const p = bytes[at + 15]!;
  if (length === 16)
    return (m | n | o | p) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) : undefined;
  if ((m | n | o | p) > 127) return undefined;
  const q = bytes[at + 16]!;
  if (length === 17) return q < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q) : undefined;
  const r = bytes[at + 17]!;
  if (length === 18) return (q | r) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r) : undefined;
  const s = bytes[at + 18]!;
  if (length === 19)
    return (q | r | s) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s) : undefined;
  const t = bytes[at + 19]!;
  if (length === 20)
    return (q | r | s | t) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) : undefined;
  if ((q | r | s | t) > 127) return undefined;
  const u = bytes[at + 20]!;
  if (length === 21)
    return u < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u) : undefined;
  const v = bytes[at + 21]!;
  if (length === 22)
    return (u | v) < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v) : undefined;
  const w = bytes[at + 22]!;
  if (length === 23)
    return (u | v | w) < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w)
      : undefined;
  const x = bytes[at + 23]!;
  return (u | v | w | x) < 128
    ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x)
    : undefined;
}

function assertUtf8(bytes: Uint8Array): void {
  try {
    strictDecoder.decode(bytes);
  } catch {
    throw new DecodeError("the text is not valid UTF-8");
  }
}

/** Writes a length and the text; -1 where the text has a lone surrogate. Throws {@link OVERFLOW} where it does not fit. */
export function writeText(bytes: Uint8Array, at: number, limit: number, text: string): number {
  const { length } = text;
  if (length > WRITE_BY_CHARACTER || limit - at <= length) return writeLongText(bytes, at, limit, text);
  let end = at + 1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return writeLongText(bytes, at, limit, text);
    bytes[end++] = code;
  }
  bytes[at] = length;
  return end;
}

function writeLongText(bytes: Uint8Array, at: number, limit: number, text: string): number {
  const { length } = text;
  const most = length * MAX_OCTETS_PER_UNIT;
  // The length takes as many octets whatever the text is, or it is not ASCII and may have to move.
  let start = at + (length < 128 ? 1 : varintSize(length));
  if (limit - start < most) {
    const octets = Buffer.byteLength(text, "utf8");
    start = at + varintSize(octets);
    if (limit - start < octets) throw OVERFLOW;
  }
  const octets = utf8Write.call(bytes, text, start, limit - start);
  if (octets !== length && !text.isWellFormed()) return -1;
  const size = varintSize(octets);
  if (at + size !== start) {
    if (limit - at - size < octets) throw OVERFLOW;
    bytes.copyWithin(at + size, start, start + octets);
  }
  return writeVarint32(bytes, at, octets) + octets;
}
