/**
 * Which header lists are malformed. Owns the rules of RFC 9113 §8.1.1, §8.2, §8.3 over decoded fields; what a single
 * field may be is judged once, when HPACK makes it. A malformed list is a stream error of type PROTOCOL_ERROR.
 */
import { FieldValidity, type HeaderField, HeaderToken } from "./hpack/index.ts";

/** Results: the announced content-length, or one of these. */
export const NO_CONTENT_LENGTH = -1;
export const MALFORMED = -2;

const { METHOD, SCHEME, AUTHORITY, PATH, STATUS, HOST, CONTENT_LENGTH } = HeaderToken;

/** Bits of the pseudo-header fields seen. */
const SEEN_METHOD = 1;
const SEEN_SCHEME = 2;
const SEEN_PATH = 4;
const SEEN_AUTHORITY = 8;
const REQUIRED = SEEN_METHOD | SEEN_SCHEME | SEEN_PATH;

export function checkRequestFields(fields: readonly HeaderField[]): number {
  let authority: string | undefined;
  let seen = 0;
  let at = 0;
  // RFC 9113 §8.3: pseudo-header fields come first, each once.
  for (; at < fields.length; at++) {
    const field = fields[at]!;
    if (field.validity !== FieldValidity.OK) return MALFORMED;
    const bit = requestPseudoBit(field);
    if (bit === 0) break;
    if ((seen & bit) !== 0) return MALFORMED;
    seen |= bit;
    if (bit === SEEN_AUTHORITY) authority = field.value;
    // RFC 9113 §8.3.1: :method, :scheme and :path have values; :authority may be empty.
    if (bit !== SEEN_AUTHORITY && field.value.length === 0) return MALFORMED;
  }
  // RFC 9113 §8.3.1: exactly one :method, :scheme, :path. CONNECT is not served, so it has no exception here.
  if ((seen & REQUIRED) !== REQUIRED) return MALFORMED;
  return hasOneHost(fields, at, authority) ? checkRegularFields(fields, at) : MALFORMED;
}

/**
 * RFC 9113 §8.3.1: a Host that names another than :authority is malformed, and so are two: whoever is in front of us and
 * whoever is behind must not see different servers in one request.
 */
function hasOneHost(fields: readonly HeaderField[], from: number, authority: string | undefined): boolean {
  let expected = authority;
  let hosts = 0;
  for (let at = from; at < fields.length; at++) {
    if (fields[at]!.token !== HOST) continue;
    const { value } = fields[at]!;
    if (++hosts > 1 || (expected !== undefined && !isSameHost(value, expected))) return false;
    expected = value;
  }
  return true;
}

/** RFC 3986 §3.2.2: host names are case-insensitive. */
function isSameHost(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}

function requestPseudoBit(field: HeaderField): number {
  switch (field.token) {
    case METHOD:
      return SEEN_METHOD;
    case SCHEME:
      return SEEN_SCHEME;
    case PATH:
      return SEEN_PATH;
    case AUTHORITY:
      return SEEN_AUTHORITY;
    default:
      return 0;
  }
}

export function checkResponseFields(fields: readonly HeaderField[]): number {
  // RFC 9113 §8.3.2: exactly one :status, first.
  const status = fields[0];
  if (status === undefined || status.token !== STATUS || !/^[1-9][0-9][0-9]$/.test(status.value)) return MALFORMED;
  return checkRegularFields(fields, 1);
}

/** RFC 9113 §8.1: trailers carry no pseudo-header fields. */
export function checkTrailerFields(fields: readonly HeaderField[]): boolean {
  return checkRegularFields(fields, 0) !== MALFORMED;
}

/** True for 1xx: an interim response that is skipped. RFC 9110 §15.2. */
export function isInformational(fields: readonly HeaderField[]): boolean {
  return fields[0]!.value.charCodeAt(0) === 0x31;
}

function checkRegularFields(fields: readonly HeaderField[], from: number): number {
  let contentLength = NO_CONTENT_LENGTH;
  for (let at = from; at < fields.length; at++) {
    const field = fields[at]!;
    if (field.validity !== FieldValidity.OK || field.name.charCodeAt(0) === 0x3a) return MALFORMED;
    if (field.token === CONTENT_LENGTH) {
      // RFC 9110 §8.6: digits only; repeated values must agree.
      if (!/^[0-9]{1,15}$/.test(field.value)) return MALFORMED;
      const value = Number(field.value);
      if (contentLength !== NO_CONTENT_LENGTH && contentLength !== value) return MALFORMED;
      contentLength = value;
    }
  }
  return contentLength;
}
