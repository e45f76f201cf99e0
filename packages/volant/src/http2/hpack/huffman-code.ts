/**
 * The Huffman code as data. It is canonical (codes of one length are consecutive, in the order of their symbols), so
 * the lengths say everything and the codes are computed from them. Knows no strings. RFC 7541 §5.2, Appendix B.
 */

/** The symbol past the 256 octets. Its code may appear only as a prefix, as padding. */
export const END_OF_STRING = 256;

export const SHORTEST_CODE_BITS = 5;
export const LONGEST_CODE_BITS = 30;

/** One base-36 digit for each symbol, 32 to a row. */
const LENGTH_DIGITS =
  "dnsssssssoussussssssssusssssssss" +
  "6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6" +
  "f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnno" +
  "mlkmmnnlnmmolmnnllmnlmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrr" +
  "koklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u";

/** Bits of the code of each symbol. */
export const CODE_LENGTHS: Uint8Array = Uint8Array.from(LENGTH_DIGITS, (digit) => Number.parseInt(digit, 36));

/** Code of each symbol, right-aligned. */
export const CODES: Uint32Array = assignCodes(CODE_LENGTHS);

function assignCodes(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length);
  let next = 0;
  for (let bits = SHORTEST_CODE_BITS; bits <= LONGEST_CODE_BITS; bits++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === bits) codes[symbol] = next++;
    }
    next *= 2;
  }
  return codes;
}
