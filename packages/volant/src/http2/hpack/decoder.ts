/**
 * Header blocks to fields. Owns the receiving dynamic table. Must not know frames, streams or what a field means. Hot
 * path: a field referenced by index costs a lookup and a store.
 *
 * Invariants: whatever a block holds, the table ends as the peer's encoder believes it to be, or the result is
 * COMPRESSION_ERROR and the connection is lost; nothing past a cap is made into a field.
 * RFC 7541 §3, §4.2, §4.4, §6; RFC 9113 §4.3.
 */
import { DecodeResult } from "./decode-result.ts";
import { DEFAULT_TABLE_BYTES, DynamicTable } from "./dynamic-table.ts";
import { FIELD_OVERHEAD_BYTES, HeaderField } from "./field.ts";
import { FieldBudget, type FieldCaps } from "./field-budget.ts";
import { FieldName } from "./field-name.ts";
import { ByteCursor, INTEGER_TRUNCATED, readInteger } from "./integer.ts";
import { BlockSkimmer } from "./skimmer.ts";
import { FIRST_DYNAMIC_INDEX, STATIC_FIELDS } from "./static-table.ts";
import { StringReader } from "./string-literal.ts";

export interface HpackDecoderOptions extends FieldCaps {
  /** The SETTINGS_HEADER_TABLE_SIZE in force: the largest table the peer may use, in octets. */
  readonly maxTableBytes: number;
}

const INCREMENTAL_PATTERN = 0x40;
const SIZE_UPDATE_PATTERN = 0x20;
const NEVER_INDEXED_PATTERN = 0x10;

const NO_UPDATE_REQUIRED = -1;

/** What {@link HpackDecoder.skim} returns for a block that is malformed: RFC 9113 §4.3, as COMPRESSION_ERROR. */
export const SKIM_FAILED = -1;

export class HpackDecoder {
  /** For inspection only. */
  readonly table: DynamicTable<HeaderField>;
  /** What was wrong with the last block that did not decode to OK. Quotes no field. */
  lastError = "";
  readonly #budget: FieldBudget;
  #maxTableBytes: number;
  /** RFC 7541 §4.2: the smallest maximum acknowledged since the last block, if the peer must now come down to it. */
  #requiredTableBytes = NO_UPDATE_REQUIRED;
  readonly #cursor = new ByteCursor();
  readonly #string = new StringReader();
  /** Made for the first block that is too large to be a list. */
  #skimmer: BlockSkimmer | undefined;
  #isSkimming = false;

  /** A table starts at 4096 octets, or the maximum if that is less; only the peer's size updates make it larger. */
  constructor(options: HpackDecoderOptions) {
    this.table = new DynamicTable(Math.min(options.maxTableBytes, DEFAULT_TABLE_BYTES));
    this.#maxTableBytes = options.maxTableBytes;
    this.#budget = new FieldBudget(options);
  }

  /**
   * The peer acknowledged our SETTINGS. If its table is larger than that, its next block must begin with a size update
   * (RFC 7541 §4.2) to at most the smallest maximum acknowledged in between.
   */
  setMaxTableBytes(maxTableBytes: number): void {
    this.#maxTableBytes = maxTableBytes;
    if (maxTableBytes < this.table.maxBytes) {
      const required = this.#requiredTableBytes;
      this.#requiredTableBytes = required === NO_UPDATE_REQUIRED ? maxTableBytes : Math.min(required, maxTableBytes);
    }
  }

  /**
   * Decodes the complete header block in `[start, end)` into `out`, replacing what it held. For the two results that
   * name a cap, `out` holds the fields before it was reached and the table is in step with the peer.
   */
  decode(block: Uint8Array, start: number, end: number, out: HeaderField[]): DecodeResult {
    const budget = this.#budget;
    budget.reset();
    this.#cursor.reset(block, start, end);
    const isDecoded = this.#receiveSizeUpdates() && this.#receiveFields(out);
    this.#cursor.release();
    this.#string.release();
    const length = isDecoded ? budget.admitted : 0;
    // Only where it changes: assigning 0 first would drop the array's storage and grow it again for each block.
    if (out.length !== length) out.length = length;
    if (!isDecoded) return DecodeResult.COMPRESSION_ERROR;
    if (budget.verdict !== DecodeResult.OK) this.lastError = budget.describe();
    return budget.verdict;
  }

  /**
   * Reads a piece of a block that is too large to become a list, for the table alone. The result is how many bytes of it are
   * done with: the rest must come again in front of the next piece. Or {@link SKIM_FAILED}. Size updates count as the
   * beginning of a block, so they must be whole in the first piece.
   */
  skim(piece: Uint8Array, start: number, end: number): number {
    this.#skimmer ??= new BlockSkimmer({ table: this.table, lookUp: (index) => this.#lookUp(index) });
    const cursor = this.#cursor;
    cursor.reset(piece, start, end);
    const isFirst = !this.#isSkimming;
    if (isFirst) this.#skimmer.reset();
    this.#isSkimming = true;
    const isLegal = (!isFirst || this.#receiveSizeUpdates()) && this.#skimmer.read(cursor);
    cursor.release();
    return isLegal ? cursor.position - start : SKIM_FAILED;
  }

  /** The block that was skimmed ends here. False where that is inside a field. */
  endSkim(): boolean {
    this.#isSkimming = false;
    return this.#skimmer!.isBetweenFields;
  }

  /** RFC 7541 §4.2: size updates stand at the beginning of a block. */
  #receiveSizeUpdates(): boolean {
    const cursor = this.#cursor;
    while (cursor.position < cursor.end && (cursor.bytes[cursor.position]! & 0xe0) === SIZE_UPDATE_PATTERN) {
      const required = this.#requiredTableBytes;
      const largest = required === NO_UPDATE_REQUIRED ? this.#maxTableBytes : Math.min(required, this.#maxTableBytes);
      const bytes = readInteger(cursor, 5);
      if (bytes < 0) return this.#failInteger("a table size update", bytes);
      if (bytes > largest) {
        return this.#fail(`a table size update to ${bytes} octets exceeds the ${largest} that our SETTINGS allow`);
      }
      this.#requiredTableBytes = NO_UPDATE_REQUIRED;
      this.table.resize(bytes);
    }
    if (this.#requiredTableBytes === NO_UPDATE_REQUIRED) return true;
    return this.#fail(
      `the block must begin with a table size update to at most ${this.#requiredTableBytes} octets after our SETTINGS`,
    );
  }

  #receiveFields(out: HeaderField[]): boolean {
    const cursor = this.#cursor;
    const budget = this.#budget;
    while (cursor.position < cursor.end) {
      const octet = cursor.bytes[cursor.position]!;
      if (octet >= 0x80) {
        const index = octet < 0xff ? octet & 0x7f : readInteger(cursor, 7);
        if (octet < 0xff) cursor.position++;
        const field = this.#lookUp(index);
        if (field === undefined) return this.#failIndex(index);
        if (budget.admit(field.size)) out[budget.admitted - 1] = field;
      } else if (octet >= INCREMENTAL_PATTERN) {
        if (!this.#receiveLiteral(out, 6, octet)) return false;
      } else if (octet >= SIZE_UPDATE_PATTERN) {
        return this.#fail("a table size update stands after a field; it must come first (RFC 7541 §4.2)");
      } else if (!this.#receiveLiteral(out, 4, octet)) {
        return false;
      }
    }
    return true;
  }

  #receiveLiteral(out: HeaderField[], prefixBits: number, pattern: number): boolean {
    const isIncremental = pattern >= INCREMENTAL_PATTERN;
    const cursor = this.#cursor;
    const string = this.#string;
    const index = readInteger(cursor, prefixBits);
    let fieldName: FieldName | undefined;
    let maxOctets = this.#usefulOctets(isIncremental);
    let nameOctets: number;
    if (index === 0) {
      if (!string.read(cursor, maxOctets)) return this.#fail(`a field name ${string.error}`);
      nameOctets = string.octets;
      if (nameOctets <= maxOctets) fieldName = FieldName.of(string.text);
    } else {
      fieldName = this.#lookUp(index)?.fieldName;
      if (fieldName === undefined) return this.#failIndex(index);
      nameOctets = fieldName.text.length;
    }
    maxOctets -= nameOctets;
    if (!string.read(cursor, maxOctets)) return this.#fail(`a field value ${string.error}`);
    const isAdmitted = this.#budget.admit(nameOctets + string.octets + FIELD_OVERHEAD_BYTES);
    if (fieldName !== undefined && string.octets <= maxOctets) {
      const isSensitive = !isIncremental && pattern >= NEVER_INDEXED_PATTERN;
      const field = new HeaderField(fieldName, string.text, isSensitive);
      if (isAdmitted) out[this.#budget.admitted - 1] = field;
      if (isIncremental) this.table.insert(field);
    } else if (isIncremental) {
      // RFC 7541 §4.4: it fits neither the list nor the table, and the peer's table is empty now.
      this.table.clear();
    }
    return true;
  }

  /** Octets of name and value beyond which a literal can serve neither the list nor the table; below zero if none. */
  #usefulOctets(isIncremental: boolean): number {
    return Math.max(this.#budget.bytesLeft, isIncremental ? this.table.maxBytes : 0) - FIELD_OVERHEAD_BYTES;
  }

  #lookUp(index: number): HeaderField | undefined {
    if (index >= FIRST_DYNAMIC_INDEX) return this.table.get(index - FIRST_DYNAMIC_INDEX);
    return index > 0 ? STATIC_FIELDS[index] : undefined;
  }

  #failIndex(index: number): boolean {
    if (index < 0) return this.#failInteger("an index", index);
    const largest = FIRST_DYNAMIC_INDEX - 1 + this.table.length;
    return this.#fail(`index ${index} names no entry; the tables hold 1 to ${largest}`);
  }

  #failInteger(what: string, fault: number): boolean {
    return this.#fail(
      `${what} ${fault === INTEGER_TRUNCATED ? "is cut off by the end of the block" : "is out of range"}`,
    );
  }

  #fail(error: string): boolean {
    this.lastError = error;
    return false;
  }
}
