/**
 * Huffman encoding of octet strings (one character, one octet). Must not know header fields.
 * Invariant: {@link encodeHuffman} writes exactly {@link huffmanOctets} octets. RFC 7541 §5.2.
 */
import { CODE_LENGTHS, CODES } from "./huffman-code.ts";

/** What {@link huffmanOctets} returns for text with a character above 0xFF, which is no octet. */
export const NOT_OCTETS = -1;

/** Bits are written in pairs of octets; next to the up to 15 that wait, 32 bits have room for 16 more. */
const UNIT_BITS = 16;

/** Octets that `text` takes as a Huffman string, or {@link NOT_OCTETS}. */
export function huffmanOctets(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) return NOT_OCTETS;
    bits += CODE_LENGTHS[code]!;
  }
  return Math.ceil(bits / 8);
}

/** Writes the Huffman string of `text` (octets only), padded with ones; returns the new offset. */
export function encodeHuffman(text: string, target: Uint8Array, offset: number): number {
  let pending = 0;
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    const symbol = text.charCodeAt(at);
    let code = CODES[symbol]!;
    let length = CODE_LENGTHS[symbol]!;
    if (length > UNIT_BITS) {
      length -= UNIT_BITS;
      pending = (pending << length) | (code >>> UNIT_BITS);
      bits += length;
      if (bits >= UNIT_BITS) {
        bits -= UNIT_BITS;
        target[offset++] = pending >>> (bits + 8);
        target[offset++] = pending >>> bits;
      }
      code &= 0xffff;
      length = UNIT_BITS;
    }
    pending = (pending << length) | code;
    bits += length;
    if (bits >= UNIT_BITS) {
      bits -= UNIT_BITS;
      target[offset++] = pending >>> (bits + 8);
      target[offset++] = pending >>> bits;
    }
  }
  if (bits >= 8) {
    bits -= 8;
    target[offset++] = pending >>> bits;
  }
  if (bits > 0) target[offset++] = (pending << (8 - bits)) | (0xff >>> bits);
  return offset;
}
