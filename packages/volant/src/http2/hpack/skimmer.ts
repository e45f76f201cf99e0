/**
 * Reads a header block that is too large to become a list, a piece at a time, so that the connection can go on without it.
 * Owns how far the block was read; makes fields for the dynamic table alone. Must not know frames or streams.
 *
 * Invariants: after each piece the table is what the peer's encoder believes it to be. What must be kept between two pieces
 * is at most one literal that fits the table, Huffman-coded; a longer one is passed over without being kept. RFC 7541 §6.
 */
import type { DynamicTable } from "./dynamic-table.ts";
import { FIELD_OVERHEAD_BYTES, HeaderField } from "./field.ts";
import { FieldName } from "./field-name.ts";
import { leastDecodedBytes } from "./huffman-decode.ts";
import { type ByteCursor, INTEGER_TRUNCATED, readInteger } from "./integer.ts";
import { StringReader } from "./string-literal.ts";

/** The receiving tables, as the decoder has them. */
export interface SkimmedTables {
  readonly table: DynamicTable<HeaderField>;
  lookUp(index: number): HeaderField | undefined;
}

/** How one step through the block ends. */
const DONE = 0;
/** The step needs bytes of a later piece. */
const CUT_OFF = 1;
const MALFORMED = 2;

const HUFFMAN_FLAG = 0x80;
const INCREMENTAL_PATTERN = 0x40;
const SIZE_UPDATE_PATTERN = 0x20;
/** For a literal that the table does not take. */
const NO_ROOM = -1;

export class BlockSkimmer {
  private readonly tables: SkimmedTables;
  private readonly string = new StringReader();
  /** Bytes of a string that are passed over. */
  private bytesToPass = 0;
  /** The name of a field was passed over; its value is next, and is passed over too. */
  private isValueNext = false;

  constructor(tables: SkimmedTables) {
    this.tables = tables;
  }

  /** No field is half read: the block may end here. */
  get isBetweenFields(): boolean {
    return this.bytesToPass === 0 && !this.isValueNext;
  }

  reset(): void {
    this.bytesToPass = 0;
    this.isValueNext = false;
  }

  /** Reads as far as the piece goes; what is left at the cursor must come again in front of the next. False: malformed. */
  read(cursor: ByteCursor): boolean {
    let outcome = DONE;
    while (outcome === DONE && cursor.position < cursor.end) {
      const start = cursor.position;
      outcome = this.step(cursor);
      if (outcome === CUT_OFF) cursor.position = start;
    }
    this.string.release();
    return outcome !== MALFORMED;
  }

  private step(cursor: ByteCursor): number {
    if (this.bytesToPass > 0) return this.pass(cursor);
    if (this.isValueNext) {
      this.isValueNext = false;
      return this.passString(cursor);
    }
    const first = cursor.bytes[cursor.position]!;
    if (first >= 0x80) return this.skimIndexed(cursor);
    if (first >= INCREMENTAL_PATTERN) return this.skimInserted(cursor);
    // RFC 7541 §4.2: a size update stands at the beginning of a block.
    return first >= SIZE_UPDATE_PATTERN ? MALFORMED : this.skimUnindexed(cursor);
  }

  private pass(cursor: ByteCursor): number {
    const count = Math.min(this.bytesToPass, cursor.end - cursor.position);
    cursor.position += count;
    this.bytesToPass -= count;
    return DONE;
  }

  private passString(cursor: ByteCursor): number {
    const length = readInteger(cursor, 7);
    if (length < 0) {
      this.isValueNext = true;
      return faultOf(length);
    }
    this.bytesToPass = length;
    return DONE;
  }

  private skimIndexed(cursor: ByteCursor): number {
    const index = readInteger(cursor, 7);
    if (index < 0) return faultOf(index);
    return this.tables.lookUp(index) === undefined ? MALFORMED : DONE;
  }

  private skimUnindexed(cursor: ByteCursor): number {
    const index = readInteger(cursor, 4);
    if (index < 0) return faultOf(index);
    if (index > 0 && this.tables.lookUp(index) === undefined) return MALFORMED;
    return index > 0 ? this.passValue() : this.passName(cursor);
  }

  private passName(cursor: ByteCursor): number {
    const length = readInteger(cursor, 7);
    if (length < 0) return faultOf(length);
    this.bytesToPass = length;
    return this.passValue();
  }

  private passValue(): number {
    this.isValueNext = true;
    return DONE;
  }

  private skimInserted(cursor: ByteCursor): number {
    const { table } = this.tables;
    const index = readInteger(cursor, 6);
    if (index < 0) return faultOf(index);
    let room = table.maxBytes - FIELD_OVERHEAD_BYTES;
    let name = index > 0 ? this.tables.lookUp(index)?.fieldName : undefined;
    if (index > 0 && name === undefined) return MALFORMED;
    if (name === undefined) {
      const outcome = this.readString(cursor, room);
      if (outcome !== DONE) return outcome;
      if (this.string.octets > room) return this.insertNothing();
      name = FieldName.of(this.string.text);
    }
    room -= name.text.length;
    const outcome = this.readString(cursor, room);
    if (outcome !== DONE) return outcome;
    if (this.string.octets > room) {
      // RFC 7541 §4.4: an entry larger than the table empties it.
      table.clear();
      return DONE;
    }
    table.insert(new HeaderField(name, this.string.text, false));
    return DONE;
  }

  /** RFC 7541 §4.4, for a name that alone is too large. */
  private insertNothing(): number {
    this.tables.table.clear();
    return this.passValue();
  }

  /** A string longer than `room` is passed over, in this piece and the next: `octets` is above `room` then. */
  private readString(cursor: ByteCursor, room: number): number {
    const start = cursor.position;
    if (start >= cursor.end) return CUT_OFF;
    const isHuffman = cursor.bytes[start]! >= HUFFMAN_FLAG;
    const length = readInteger(cursor, 7);
    if (length < 0) return faultOf(length);
    const least = isHuffman ? leastDecodedBytes(length) : length;
    if (least > Math.max(room, NO_ROOM)) {
      this.string.octets = least;
      this.bytesToPass = length;
      return DONE;
    }
    if (length > cursor.end - cursor.position) return CUT_OFF;
    cursor.position = start;
    return this.string.read(cursor, room) ? DONE : MALFORMED;
  }
}

function faultOf(integer: number): number {
  return integer === INTEGER_TRUNCATED ? CUT_OFF : MALFORMED;
}
