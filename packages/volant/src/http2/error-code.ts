/**
 * HTTP/2 error codes. Owns the one list of them; type, names and validation derive from it. RFC 9113 §7.
 */

export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

/** A code as it stands on the wire. RFC 9113 §7: unknown codes are legal, so this is not narrowed to the table. */
export type ErrorCode = number;

const NAMES: readonly string[] = Object.keys(ErrorCode);

/** "PROTOCOL_ERROR", or "0x2a" for a code that no RFC defines. */
export function errorCodeName(code: ErrorCode): string {
  return NAMES[code] ?? `0x${code.toString(16)}`;
}
