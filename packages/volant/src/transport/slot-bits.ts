/**
 * Which slots of the timer wheel hold something, a bit for each, so that the next one is found without a look at what they
 * hold. Slots are numbered through all rings: ring 0 first.
 *
 * Owns the bits. Must not know of timers or time. Invariant: finding the next slot reads at most 33 words.
 */

/** A power of two, and at least a word of bits. */
export const RING_SLOTS = 1024;

const WORD_BITS = 32;
const RING_WORDS = RING_SLOTS / WORD_BITS;

export class SlotBits {
  private readonly words: Int32Array;

  constructor(rings: number) {
    this.words = new Int32Array(rings * RING_WORDS);
  }

  add(slot: number): void {
    this.words[slot >>> 5]! |= 1 << (slot & 31);
  }

  remove(slot: number): void {
    this.words[slot >>> 5]! &= ~(1 << (slot & 31));
  }

  /** From `position` of `ring` forward to the next slot that holds something: 1 to RING_SLOTS; Infinity where none does. */
  stepsToNext(ring: number, position: number): number {
    const start = (position + 1) % RING_SLOTS;
    const firstWord = start >>> 5;
    let mask = -1 << (start & 31);
    // The word of the start twice: first from the start on, at the end for what is before it.
    for (let step = 0; step <= RING_WORDS; step++) {
      const word = (firstWord + step) % RING_WORDS;
      const bits = this.words[ring * RING_WORDS + word]! & mask;
      if (bits !== 0) {
        const found = word * WORD_BITS + (WORD_BITS - 1 - Math.clz32(bits & -bits));
        return 1 + ((found - start + RING_SLOTS) % RING_SLOTS);
      }
      mask = -1;
    }
    return Number.POSITIVE_INFINITY;
  }
}
