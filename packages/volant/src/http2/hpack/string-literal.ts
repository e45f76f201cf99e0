/**
 * String literals in both directions. Owns the scratch space of Huffman decoding, one for the process: reading is
 * synchronous and the text is copied out before the next string. Must not know what a string is for.
 * Invariant: a string is checked against the end of its block before anything is allocated, and text longer than the
 * caller allows is never made, however small its encoded form. RFC 7541 §5.2.
 */
import { decodeHuffman, HUFFMAN_MALFORMED, HUFFMAN_SLACK_OCTETS, mostDecodedOctets } from "./huffman-decode.ts";
import { encodeHuffman, huffmanOctets, NOT_OCTETS } from "./huffman-encode.ts";
import { type ByteCursor, INTEGER_TRUNCATED, readInteger, writeInteger } from "./integer.ts";

const HUFFMAN_FLAG = 0x80;
const LENGTH_PREFIX_BITS = 7;

/** Up to here a loop beats the call into the runtime (measured: 20 ns against 41 ns for four octets). */
const SHORT_OCTETS = 4;

/** Node's Buffer has them on its prototype; the declarations of some versions leave them out. */
interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as Latin1Methods;

let scratch = new Uint8Array(1024);

/** Reads strings; the result of the last {@link read} stays in its fields. */
export class StringReader {
  /** Empty when `octets` is above the limit given to {@link read}. */
  text = "";
  /** Octets after decoding. Above the limit it is only known that there are at least so many. */
  octets = 0;
  /** Why the last {@link read} returned false. */
  error = "";

  /** False if the string is malformed. A limit below zero skips the string without looking at its octets. */
  read(cursor: ByteCursor, maxOctets: number): boolean {
    const isHuffman = cursor.position < cursor.end && cursor.bytes[cursor.position]! >= HUFFMAN_FLAG;
    const length = readInteger(cursor, LENGTH_PREFIX_BITS);
    if (length < 0) return this.#fail(length === INTEGER_TRUNCATED ? "length is cut off" : "length is out of range");
    const start = cursor.position;
    const left = cursor.end - start;
    if (length > left) return this.#fail(`has a length of ${length} octets, but the block has only ${left} left`);
    cursor.position = start + length;
    if (isHuffman) return this.#readHuffman(cursor.bytes, start, start + length, maxOctets);
    this.octets = length;
    this.text = length > maxOctets ? "" : sliceText(cursor.bytes, start, start + length);
    return true;
  }

  /** Lets go of the last text, which may be a secret. */
  release(): void {
    this.text = "";
  }

  #readHuffman(bytes: Uint8Array, start: number, end: number, maxOctets: number): boolean {
    this.text = "";
    reserveScratch(Math.min(mostDecodedOctets(end - start), maxOctets));
    const octets = decodeHuffman(bytes, start, end, scratch, maxOctets);
    if (octets === HUFFMAN_MALFORMED) return this.#fail("is not a Huffman string: wrong padding or an EOS code");
    this.octets = octets;
    if (octets <= maxOctets) this.text = sliceText(scratch, 0, octets);
    return true;
  }

  #fail(error: string): boolean {
    this.error = error;
    return false;
  }
}

/**
 * Writes `text` in the shorter form, plain if both are equal, and returns the new offset; {@link NOT_OCTETS}, with
 * nothing written, if a character is above 0xFF.
 */
export function writeString(target: Uint8Array, offset: number, text: string): number {
  const packed = huffmanOctets(text);
  if (packed === NOT_OCTETS) return NOT_OCTETS;
  if (packed < text.length) {
    const body = writeInteger(target, offset, HUFFMAN_FLAG, LENGTH_PREFIX_BITS, packed);
    return encodeHuffman(text, target, body);
  }
  const body = writeInteger(target, offset, 0, LENGTH_PREFIX_BITS, text.length);
  if (text.length > SHORT_OCTETS) return body + latin1Write.call(target, text, body, text.length);
  for (let at = 0; at < text.length; at++) target[body + at] = text.charCodeAt(at);
  return body + text.length;
}

function sliceText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_OCTETS) return latin1Slice.call(bytes, start, end);
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

function reserveScratch(octets: number): void {
  const needed = octets + HUFFMAN_SLACK_OCTETS;
  if (scratch.length < needed) scratch = new Uint8Array(Math.max(needed, scratch.length * 2));
}
