/**
 * A header field as it comes out of a header block: interned by the tables that hold it and judged once, when it is
 * made, so that a field referenced by index costs a lookup. Owns the rules for values and a field's HPACK size. Must
 * not know where it is stored. Immutable. RFC 7541 §4.1 (size), RFC 9113 §8.2.1 (values), §8.2.2 (`te`).
 */
import { FieldName, FieldValidity } from "./field-name.ts";
import { HeaderToken } from "./header-token.ts";

/** RFC 7541 §4.1: what an entry costs beyond its octets. */
export const FIELD_OVERHEAD_BYTES = 32;

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

export class HeaderField {
  readonly name: string;
  /** One character for each octet (latin1). */
  readonly value: string;
  readonly token: HeaderToken;
  readonly validity: FieldValidity;
  /** Octets of name and value plus 32, RFC 7541 §4.1. */
  readonly size: number;
  /** Came as a never-indexed literal, RFC 7541 §6.2.3: must not be logged, and must stay so when forwarded. */
  readonly sensitive: boolean;
  readonly fieldName: FieldName;

  constructor(fieldName: FieldName, value: string, sensitive: boolean) {
    this.name = fieldName.text;
    this.value = value;
    this.token = fieldName.token;
    this.validity = fieldName.validity === FieldValidity.OK ? valueValidity(fieldName, value) : fieldName.validity;
    this.size = fieldName.text.length + value.length + FIELD_OVERHEAD_BYTES;
    this.sensitive = sensitive;
    this.fieldName = fieldName;
  }

  static of(name: string, value: string, sensitive = false): HeaderField {
    return new HeaderField(FieldName.of(name), value, sensitive);
  }
}

function valueValidity(fieldName: FieldName, value: string): FieldValidity {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code <= CR && (code === CR || code === LF || code === NUL)) return FieldValidity.ILLEGAL_VALUE;
  }
  if (value.length > 0 && (isPadding(value.charCodeAt(0)) || isPadding(value.charCodeAt(value.length - 1)))) {
    return FieldValidity.PADDED_VALUE;
  }
  if (fieldName.token === HeaderToken.TE && value !== "trailers" && value.toLowerCase() !== "trailers") {
    return FieldValidity.CONNECTION_SPECIFIC;
  }
  return FieldValidity.OK;
}

function isPadding(code: number): boolean {
  return code === SPACE || code === TAB;
}
