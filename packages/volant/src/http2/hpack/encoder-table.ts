/**
 * The sending dynamic table with its index by name and value, two map lookups and no key built from both. Must not
 * know the wire format. Invariant: the index holds exactly the entries of the table. RFC 7541 §2.3.2, §2.3.3.
 */
import { DynamicTable } from "./dynamic-table.ts";
import { FIRST_DYNAMIC_INDEX } from "./static-table.ts";

export interface EncoderEntry {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  readonly sequence: number;
}

/** The entries of one name, by sequence number. */
export interface DynamicName {
  newest: number;
  readonly values: Map<string, number>;
}

export class EncoderTable extends DynamicTable<EncoderEntry> {
  readonly #names = new Map<string, DynamicName>();

  find(name: string): DynamicName | undefined {
    return this.#names.get(name);
  }

  /** The HPACK index of an entry in the table. */
  indexOf(sequence: number): number {
    return FIRST_DYNAMIC_INDEX + this.inserted - 1 - sequence;
  }

  /** Inserts a field that is not in the table and not larger than it. */
  insertField(name: string, value: string, size: number): void {
    const sequence = this.inserted;
    this.insert({ name, value, size, sequence });
    const known = this.#names.get(name);
    if (known === undefined) {
      this.#names.set(name, { newest: sequence, values: new Map([[value, sequence]]) });
    } else {
      known.newest = sequence;
      known.values.set(value, sequence);
    }
  }

  protected override evictOldest(): EncoderEntry {
    const oldest = super.evictOldest();
    const known = this.#names.get(oldest.name) as DynamicName;
    // Entries leave in the order they came, so the newest of a name is the last of it.
    if (known.newest === oldest.sequence) this.#names.delete(oldest.name);
    else known.values.delete(oldest.value);
    return oldest;
  }
}
