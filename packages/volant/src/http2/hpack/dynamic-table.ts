/**
 * The dynamic table of one direction: a first-in first-out store bounded in octets, kept in a ring that grows with what
 * it holds, so that an idle connection pays for nothing. Must not know the wire format or who is encoding.
 * Invariant: `bytes` is the sum of the sizes of the entries and never exceeds `maxBytes`. RFC 7541 §2.3.2, §4.
 */

/** RFC 9113 §6.5.2: SETTINGS_HEADER_TABLE_SIZE until a peer says otherwise. */
export const DEFAULT_TABLE_BYTES = 4096;

const FIRST_CAPACITY = 16;

export class DynamicTable<Entry extends { readonly size: number }> {
  /** Slot of an entry: its sequence number modulo the capacity, which is a power of two (or nothing yet). */
  #ring: (Entry | undefined)[] = [];
  #mask = -1;
  #inserted = 0;
  #length = 0;
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Entries ever inserted: the sequence number of the next one. */
  get inserted(): number {
    return this.#inserted;
  }

  /** The entry inserted `age` insertions before the newest one (0), or undefined past the oldest. */
  get(age: number): Entry | undefined {
    return age < this.#length ? this.#ring[(this.#inserted - 1 - age) & this.#mask] : undefined;
  }

  /** RFC 7541 §4.4: evicts until the entry fits; one larger than the table leaves it empty and is not an error. */
  insert(entry: Entry): void {
    this.#evictTo(this.#maxBytes - entry.size);
    if (entry.size > this.#maxBytes) return;
    if (this.#length > this.#mask) this.#grow();
    this.#ring[this.#inserted & this.#mask] = entry;
    this.#inserted++;
    this.#length++;
    this.#bytes += entry.size;
  }

  /** RFC 7541 §4.3. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  clear(): void {
    this.#evictTo(0);
  }

  /** Removes the oldest entry and returns it. The table must not be empty. */
  protected evictOldest(): Entry {
    const slot = (this.#inserted - this.#length) & this.#mask;
    const oldest = this.#ring[slot] as Entry;
    this.#ring[slot] = undefined;
    this.#length--;
    this.#bytes -= oldest.size;
    return oldest;
  }

  #evictTo(bytes: number): void {
    while (this.#length > 0 && this.#bytes > bytes) this.evictOldest();
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, this.#ring.length * 2);
    const ring = new Array<Entry | undefined>(capacity).fill(undefined);
    for (let age = 0; age < this.#length; age++) ring[(this.#inserted - 1 - age) & (capacity - 1)] = this.get(age);
    this.#ring = ring;
    this.#mask = capacity - 1;
  }
}
