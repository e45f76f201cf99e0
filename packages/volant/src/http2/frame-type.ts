/**
 * Frame types and flags. Owns the numbers of RFC 9113 §6 and nothing else.
 */

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** RFC 9113 §4.1: unknown types are legal and ignored, so this is not narrowed to the table. */
export type FrameType = number;

export const FrameFlag = {
  /** SETTINGS, PING. */
  ACK: 0x1,
  /** DATA, HEADERS. */
  END_STREAM: 0x1,
  /** HEADERS, PUSH_PROMISE, CONTINUATION. */
  END_HEADERS: 0x4,
  /** DATA, HEADERS, PUSH_PROMISE. */
  PADDED: 0x8,
  /** HEADERS. */
  PRIORITY: 0x20,
} as const;

/** Octets in front of every payload. RFC 9113 §4.1. */
export const FRAME_HEADER_BYTES = 9;
/** What every peer accepts, and what we accept unless configured otherwise. RFC 9113 §4.2. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
export const MAX_FRAME_BYTES = 16_777_215;
/** RFC 9113 §5.1.1: 31 bits. */
export const MAX_STREAM_ID = 0x7fff_ffff;
