/**
 * Fields to header blocks. Owns the sending dynamic table and the size updates due to the peer. Must not know frames,
 * streams or what a field means: whoever makes the fields says what may be indexed.
 * Invariant: the peer's table follows ours; a block that failed halfway, which it never sees, empties both. RFC 7541 §4.2, §6; RFC 9113 §4.3.
 *
 * A frozen list whose fields are all in the tables encodes to the same bytes until the dynamic table changes, and those are
 * remembered. Buys: the constant headers of a client's calls cost a copy of eight bytes instead of eight look-ups.
 */
import { UsageError } from "../usage-error.ts";
import { DEFAULT_TABLE_BYTES } from "./dynamic-table.ts";
import { EncoderTable } from "./encoder-table.ts";
import { FIELD_OVERHEAD_BYTES } from "./field.ts";
import { MAX_INTEGER, MAX_INTEGER_OCTETS, writeInteger } from "./integer.ts";
import { fieldsBound, Indexing, type OutboundField, writeIndexed, writeLiteral } from "./outbound-field.ts";
import { STATIC_NAMES } from "./static-table.ts";

const SIZE_UPDATE_PATTERN = 0x20;
const SIZE_UPDATE_BITS = 5;
const NO_UPDATE_DUE = -1;
/** Lists that are remembered: a client has one for each method that it calls. */
const MAX_REMEMBERED = 32;

export class HpackEncoder {
  /** For inspection only. */
  readonly table: EncoderTable;
  readonly #cap: number;
  /** RFC 7541 §4.2: the smallest size since the last block, and the one in force now, while an update is due. */
  #smallestDue = NO_UPDATE_DUE;
  #lastDue = NO_UPDATE_DUE;
  /** Blocks of frozen lists, each field one byte. Made for the first of them. */
  #remembered: Map<readonly OutboundField[], Uint8Array> | undefined = undefined;
  /** How many fields had been inserted into the table when the first of these was made. */
  #rememberedAt = 0;

  /** `maxTableBytes` caps our table, whatever the peer allows: it is memory that the peer would make us hold. */
  constructor(maxTableBytes: number) {
    this.table = new EncoderTable(DEFAULT_TABLE_BYTES);
    this.#cap = Math.min(maxTableBytes, MAX_INTEGER);
    if (this.#cap < DEFAULT_TABLE_BYTES) this.setPeerTableBytes(DEFAULT_TABLE_BYTES);
  }

  /** The SETTINGS_HEADER_TABLE_SIZE of a SETTINGS frame that we acknowledge; the next block announces what it changes. */
  setPeerTableBytes(bytes: number): void {
    const allowed = Math.min(bytes, this.#cap);
    if (this.#lastDue === NO_UPDATE_DUE) {
      if (allowed === this.table.maxBytes) return;
      this.#smallestDue = allowed;
    } else {
      this.#smallestDue = Math.min(this.#smallestDue, allowed);
    }
    this.#lastDue = allowed;
  }

  /** True while the next block must begin with a size update: a static block must then follow {@link writeSizeUpdates}. */
  get isSizeUpdateDue(): boolean {
    return this.#lastDue !== NO_UPDATE_DUE;
  }

  /** Octets that {@link encode} writes at most, the size updates included. */
  sizeBound(fields: readonly OutboundField[]): number {
    const known = this.#recall(fields);
    return known === undefined ? 2 * MAX_INTEGER_OCTETS + fieldsBound(fields) : known.length;
  }

  /**
   * Writes the block at `offset` and returns the offset after it. `target` has room for {@link sizeBound} octets from
   * there. Throws a UsageError for a name or value with a character above 0xFF; the next block then resets the table.
   */
  encode(fields: readonly OutboundField[], target: Uint8Array, offset: number): number {
    const known = this.#recall(fields);
    if (known !== undefined && offset + known.length <= target.length) {
      for (let at = 0; at < known.length; at++) target[offset + at] = known[at]!;
      return offset + known.length;
    }
    try {
      const { inserted } = this.table;
      const start = this.writeSizeUpdates(target, offset);
      let next = start;
      for (let at = 0; at < fields.length; at++) next = this.#writeField(fields[at]!, target, next);
      if (next - start === fields.length && inserted === this.table.inserted) this.#remember(fields, target, start);
      if (next > target.length) {
        throw new UsageError(
          `A header block needs ${next - offset} octets, but the target has ${target.length - offset}`,
        );
      }
      return next;
    } catch (error) {
      this.#abandonBlock();
      throw error;
    }
  }

  /** Writes the updates that are due, the smallest size and then the last; nothing otherwise. RFC 7541 §4.2. */
  writeSizeUpdates(target: Uint8Array, offset: number): number {
    if (this.#lastDue === NO_UPDATE_DUE) return offset;
    let next = offset;
    if (this.#smallestDue < this.#lastDue) next = this.#writeSizeUpdate(target, next, this.#smallestDue);
    next = this.#writeSizeUpdate(target, next, this.#lastDue);
    this.#smallestDue = NO_UPDATE_DUE;
    this.#lastDue = NO_UPDATE_DUE;
    return next;
  }

  /** Undefined where the table has changed since, or an update is due that must come first. */
  #recall(fields: readonly OutboundField[]): Uint8Array | undefined {
    if (this.#remembered === undefined || this.#lastDue !== NO_UPDATE_DUE) return undefined;
    return this.#rememberedAt === this.table.inserted ? this.#remembered.get(fields) : undefined;
  }

  /** Lists that may change, and those made for one call, are not frozen. */
  #remember(fields: readonly OutboundField[], target: Uint8Array, start: number): void {
    if (fields.length === 0 || !Object.isFrozen(fields)) return;
    if (this.#remembered === undefined || this.#rememberedAt !== this.table.inserted) {
      this.#remembered = new Map();
      this.#rememberedAt = this.table.inserted;
    }
    if (this.#remembered.size === MAX_REMEMBERED) return;
    this.#remembered.set(fields, new Uint8Array(target.subarray(start, start + fields.length)));
  }

  #writeSizeUpdate(target: Uint8Array, offset: number, bytes: number): number {
    this.table.resize(bytes);
    this.#remembered = undefined;
    return writeInteger(target, offset, SIZE_UPDATE_PATTERN, SIZE_UPDATE_BITS, bytes);
  }

  #writeField(field: OutboundField, target: Uint8Array, offset: number): number {
    const { name, value } = field;
    const table = this.table;
    const fixed = STATIC_NAMES.get(name);
    const added = table.find(name);
    let indexing = field.indexing;
    if (indexing !== Indexing.NEVER) {
      const index = fixed?.values.get(value);
      if (index !== undefined) return writeIndexed(target, offset, index);
      const sequence = added?.values.get(value);
      if (sequence !== undefined) return writeIndexed(target, offset, table.indexOf(sequence));
    }
    const nameIndex = fixed?.index ?? (added === undefined ? 0 : table.indexOf(added.newest));
    const size = name.length + value.length + FIELD_OVERHEAD_BYTES;
    // Inserting a field larger than the table would only empty it.
    if (indexing === Indexing.INCREMENTAL && size > table.maxBytes) indexing = Indexing.WITHOUT;
    const next = writeLiteral(target, offset, nameIndex, field, indexing);
    if (indexing === Indexing.INCREMENTAL) table.insertField(name, value, size);
    return next;
  }

  /** The peer will never see what this block inserted: both tables are emptied with the next one, by going through 0. */
  #abandonBlock(): void {
    this.#remembered = undefined;
    if (this.#lastDue === NO_UPDATE_DUE) this.#lastDue = this.table.maxBytes;
    this.#smallestDue = 0;
  }
}
