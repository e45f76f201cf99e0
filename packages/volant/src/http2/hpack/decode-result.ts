/**
 * How the decoding of a header block ends. RFC 9113 §4.3, §10.5.1.
 */
export const DecodeResult = {
  OK: 0,
  /** The fields together exceed the cap in octets. The connection can go on. */
  LIST_TOO_LARGE: 1,
  /** There are more fields than the cap allows. The connection can go on. */
  TOO_MANY_FIELDS: 2,
  /** RFC 9113 §4.3: the tables are out of step; a connection error. The decoder must not be used again. */
  COMPRESSION_ERROR: 3,
} as const;

export type DecodeResult = (typeof DecodeResult)[keyof typeof DecodeResult];
