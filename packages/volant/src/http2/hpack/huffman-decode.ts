/**
 * Huffman decoding, one table step for each octet of input. A state is an inner node of the code tree; a step consumes
 * eight bits, completes at most two symbols (the shortest code has five bits) and leads to the next state. The steps
 * take 257 KiB for the whole process and no branch in the loop. Must not know header fields.
 * Invariant: nothing is written beyond two octets past `maxOctets`. RFC 7541 §5.2.
 */
import { CODE_LENGTHS, CODES, END_OF_STRING, LONGEST_CODE_BITS, SHORTEST_CODE_BITS } from "./huffman-code.ts";

/** What {@link decodeHuffman} returns for an end-of-string code or wrong padding. */
export const HUFFMAN_MALFORMED = -1;

/** The target's room beyond the result: a step always stores two octets and then counts those that are real. */
export const HUFFMAN_SLACK_OCTETS = 2;

const STATES = END_OF_STRING;
/** The state after an end-of-string code: every step stays there. */
const FAILED = STATES;

/**
 * A step: first symbol in bits 0-7, next state in 8-16 (where it is the row of its steps), second symbol in 17-24, how
 * many of the symbols are real from bit 25.
 */
const STATE_SHIFT = 8;
const ROW_MASK = 0x1ff << STATE_SHIFT;
const SECOND_SHIFT = 17;
const COUNT_SHIFT = 25;

/** By node and bit: the next node, or the bitwise complement of a symbol. Node 0 is the root. */
const TREE: Int16Array = growTree();
const STEPS: Uint32Array = compileSteps(TREE);
/** 1 where a string may end: at the root, or after at most seven ones, which are the start of the end-of-string code. */
const ACCEPTING: Uint8Array = findAccepting(TREE);

/** Octets that a Huffman string of so many octets has at most, after decoding. */
export function mostDecodedOctets(encodedOctets: number): number {
  return Math.floor((encodedOctets * 8) / SHORTEST_CODE_BITS);
}

/** Bytes that it has at least: up to seven bits are padding. */
export function leastDecodedBytes(encodedBytes: number): number {
  return Math.max(0, Math.ceil((encodedBytes * 8 - 7) / LONGEST_CODE_BITS));
}

/**
 * Decodes into `target` and returns the number of octets, {@link HUFFMAN_MALFORMED}, or a number above `maxOctets` as
 * soon as there are more than that. `target` has room for the result (at most `maxOctets`) and the slack.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  maxOctets: number,
): number {
  let written = 0;
  let row = 0;
  for (let position = start; position < end && written <= maxOctets; position++) {
    const step = STEPS[row | bytes[position]!]!;
    target[written] = step;
    target[written + 1] = step >>> SECOND_SHIFT;
    written += step >>> COUNT_SHIFT;
    row = step & ROW_MASK;
  }
  if (written > maxOctets) return written;
  return ACCEPTING[row >>> STATE_SHIFT] === 1 ? written : HUFFMAN_MALFORMED;
}

function growTree(): Int16Array {
  const tree = new Int16Array(STATES * 2);
  let nodes = 1;
  for (let symbol = 0; symbol < CODES.length; symbol++) {
    const code = CODES[symbol]!;
    let node = 0;
    for (let bit = CODE_LENGTHS[symbol]! - 1; bit > 0; bit--) {
      const branch = node * 2 + ((code >>> bit) & 1);
      if (tree[branch] === 0) tree[branch] = nodes++;
      node = tree[branch]!;
    }
    tree[node * 2 + (code & 1)] = ~symbol;
  }
  return tree;
}

/** Half steps of four bits first, then pairs of them: half of the time of walking the tree for every octet. */
function compileSteps(tree: Int16Array): Uint32Array {
  const halves = new Uint32Array((STATES + 1) * 16).fill(FAILED << STATE_SHIFT);
  for (let half = 0; half < STATES * 16; half++) halves[half] = walkHalf(tree, half >>> 4, half & 0xf);
  const steps = new Uint32Array((STATES + 1) * 256);
  for (let row = 0; row < steps.length; row += 256) {
    for (let octet = 0; octet < 256; octet++) {
      const first = halves[(row | octet) >>> 4]!;
      const second = halves[((first & ROW_MASK) >>> 4) | (octet & 0xf)]!;
      steps[row | octet] = joinHalves(first, second);
    }
  }
  return steps;
}

/** Four bits complete one symbol at most. */
function walkHalf(tree: Int16Array, state: number, bits: number): number {
  let node = state;
  let symbol = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = tree[node * 2 + ((bits >>> bit) & 1)]!;
    if (node >= 0) continue;
    if (~node === END_OF_STRING) return FAILED << STATE_SHIFT;
    symbol = ~node | (1 << COUNT_SHIFT);
    node = 0;
  }
  return symbol | (node << STATE_SHIFT);
}

function joinHalves(first: number, second: number): number {
  const firstCount = first >>> COUNT_SHIFT;
  const secondCount = second >>> COUNT_SHIFT;
  const secondSymbol = (second & 0xff) << (firstCount === 0 ? 0 : SECOND_SHIFT);
  return (first & 0xff) | secondSymbol | (second & ROW_MASK) | ((firstCount + secondCount) << COUNT_SHIFT);
}

function findAccepting(tree: Int16Array): Uint8Array {
  const accepting = new Uint8Array(STATES + 1);
  let node = 0;
  for (let ones = 0; ones <= 7; ones++) {
    accepting[node] = 1;
    node = tree[node * 2 + 1]!;
  }
  return accepting;
}
