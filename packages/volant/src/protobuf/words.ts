/**
 * Numbers as 32-bit words: the one place where the byte order of the machine matters, and where a 64-bit integer or a float
 * changes between its JavaScript value and its bits.
 *
 * Hot path: typed arrays that share memory. The engine makes and reads BigInts there without a call; a bigint that goes through
 * arithmetic, or through `Number()`, costs three times as much.
 */

const memory = new ArrayBuffer(8);
const words = new Int32Array(memory);
const signed = new BigInt64Array(memory);
const unsigned = new BigUint64Array(memory);
const doubles = new Float64Array(memory);
const floats = new Float32Array(memory);

const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** The words of the last `split…`: valid until the next call into this module. */
export function lowWord(): number {
  return words[LOW]!;
}

export function highWord(): number {
  return words[HIGH]!;
}

export function joinSigned(low: number, high: number): bigint {
  words[LOW] = low;
  words[HIGH] = high;
  return signed[0]!;
}

export function joinUnsigned(low: number, high: number): bigint {
  words[LOW] = low;
  words[HIGH] = high;
  return unsigned[0]!;
}

/** False where the value does not fit. */
export function splitSigned(value: bigint): boolean {
  signed[0] = value;
  return signed[0] === value;
}

export function splitUnsigned(value: bigint): boolean {
  unsigned[0] = value;
  return unsigned[0] === value;
}

export function joinDouble(low: number, high: number): number {
  words[LOW] = low;
  words[HIGH] = high;
  return doubles[0]!;
}

export function splitDouble(value: number): void {
  doubles[0] = value;
}

export function floatOf(word: number): number {
  words[0] = word;
  return floats[0]!;
}

export function wordOfFloat(value: number): number {
  floats[0] = value;
  return words[0]!;
}
