/**
 * What the fields of one header block may cost. Owns their count and their octets while a block is decoded. Must not
 * know where a field comes from. Invariant: once a cap is exceeded no further field is admitted until the next block.
 *
 * Without the caps a block of one-octet references to one large entry grows some 4,000 times in memory (CVE-2016-6581),
 * and one of tiny fields or cookie crumbs costs far more than the octets it counts (CVE-2026-49975). RFC 9113 §10.5.1.
 */
import { DecodeResult } from "./decode-result.ts";

export interface FieldCaps {
  /** Cap on the sum of the sizes (RFC 7541 §4.1) of one block's fields, as in SETTINGS_MAX_HEADER_LIST_SIZE. */
  readonly maxListBytes: number;
  /** Cap on the number of one block's fields; each cookie crumb is one. */
  readonly maxFields: number;
}

export class FieldBudget {
  readonly #maxListBytes: number;
  readonly #maxFields: number;
  #admitted = 0;
  #listBytes = 0;
  #verdict: DecodeResult = DecodeResult.OK;

  constructor(caps: FieldCaps) {
    this.#maxListBytes = caps.maxListBytes;
    this.#maxFields = caps.maxFields;
  }

  reset(): void {
    this.#admitted = 0;
    this.#listBytes = 0;
    this.#verdict = DecodeResult.OK;
  }

  get admitted(): number {
    return this.#admitted;
  }

  get verdict(): DecodeResult {
    return this.#verdict;
  }

  /** The largest field that can still be admitted; 0 after a cap was exceeded. */
  get bytesLeft(): number {
    return this.#verdict === DecodeResult.OK ? this.#maxListBytes - this.#listBytes : 0;
  }

  /** Charges a field of this size; false from the first one that exceeds a cap on. */
  admit(size: number): boolean {
    if (this.#verdict !== DecodeResult.OK) return false;
    this.#listBytes += size;
    if (this.#listBytes > this.#maxListBytes) this.#verdict = DecodeResult.LIST_TOO_LARGE;
    else if (this.#admitted < this.#maxFields) this.#admitted++;
    else this.#verdict = DecodeResult.TOO_MANY_FIELDS;
    return this.#verdict === DecodeResult.OK;
  }

  /** Says which cap was exceeded; empty if none was. */
  describe(): string {
    if (this.#verdict === DecodeResult.LIST_TOO_LARGE) return `the header list exceeds ${this.#maxListBytes} octets`;
    if (this.#verdict === DecodeResult.TOO_MANY_FIELDS)
      return `the header list has more than ${this.#maxFields} fields`;
    return "";
  }
}
