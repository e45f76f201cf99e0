/**
 * The static table, shared by every connection: as fields for the decoder, by name and value for the encoder. Knows no
 * dynamic entries. Never changes. RFC 7541 §2.3.1, Appendix A.
 */
import { HeaderField } from "./field.ts";

const STATIC_ENTRIES: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

/** Index of the dynamic table's newest entry, RFC 7541 §2.3.3. */
export const FIRST_DYNAMIC_INDEX: number = STATIC_ENTRIES.length + 1;

/** By HPACK index. Index 0 names no field: RFC 7541 §6.1 makes it a decoding error. */
export const STATIC_FIELDS: readonly (HeaderField | undefined)[] = [
  undefined,
  ...STATIC_ENTRIES.map(([name, value]) => HeaderField.of(name, value)),
];

/** Where a name stands in the static table: its lowest index, and the index of each of its values. */
export interface StaticName {
  readonly index: number;
  readonly values: ReadonlyMap<string, number>;
}

function indexByName(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> }>();
  STATIC_ENTRIES.forEach(([name, value], at) => {
    const known = names.get(name);
    if (known === undefined) names.set(name, { index: at + 1, values: new Map([[value, at + 1]]) });
    else known.values.set(value, at + 1);
  });
  return names;
}

export const STATIC_NAMES: ReadonlyMap<string, StaticName> = indexByName();
