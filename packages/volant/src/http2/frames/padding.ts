/**
 * Padding of DATA, HEADERS and PUSH_PROMISE: one octet of pad length first, that many octets last. RFC 9113 §6.1.
 */
import { FrameFlag } from "../frame-type.ts";

/** The octets of padding at the end of the payload, or -1 where it does not fit the payload. */
export function readPadding(bytes: Buffer, start: number, length: number, flags: number): number {
  if ((flags & FrameFlag.PADDED) === 0) return 0;
  // RFC 9113 §6.1: padding as long as the payload or longer is a connection error of type PROTOCOL_ERROR.
  if (length === 0) return -1;
  const padding = bytes[start]!;
  return padding >= length ? -1 : padding;
}
