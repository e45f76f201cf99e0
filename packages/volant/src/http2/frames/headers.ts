/**
 * HEADERS. RFC 9113 §6.2. The priority fields are checked for their rules and otherwise ignored (§5.3.2).
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault, streamFault } from "../fault.ts";
import { FrameFlag, FrameType } from "../frame-type.ts";
import { readUint31, writeFrameHeader } from "./frame-header.ts";
import { PRIORITY_PAYLOAD_BYTES } from "./priority.ts";

const ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "headers-on-stream-0");
const TOO_SHORT = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "headers-too-short");
const SELF_DEPENDENCY = streamFault(ErrorCode.PROTOCOL_ERROR, "headers-depend-on-themselves");
export const HEADERS_PADDING_TOO_LONG: Fault = connectionFault(ErrorCode.PROTOCOL_ERROR, "headers-padding-too-long");

/** Octets between the start of the payload and the field block fragment: pad length and priority fields. */
export function headersPrefixBytes(flags: number): number {
  return (flags & FrameFlag.PADDED ? 1 : 0) + (flags & FrameFlag.PRIORITY ? PRIORITY_PAYLOAD_BYTES : 0);
}

export function checkHeaders(
  bytes: Buffer,
  start: number,
  length: number,
  flags: number,
  streamId: number,
): Fault | undefined {
  if (streamId === 0) return ON_STREAM_0;
  const prefix = headersPrefixBytes(flags);
  if (length < prefix) return TOO_SHORT;
  if ((flags & FrameFlag.PRIORITY) !== 0) {
    // RFC 7540 §5.3.1, kept although priorities are deprecated: a stream cannot depend on itself.
    const dependency = readUint31(bytes, start + prefix - PRIORITY_PAYLOAD_BYTES);
    if (dependency === streamId) return SELF_DEPENDENCY;
  }
  return undefined;
}

/** Only the header: the field block follows in place. */
export function writeHeadersHeader(
  target: Buffer,
  offset: number,
  streamId: number,
  length: number,
  flags: number,
): number {
  return writeFrameHeader(target, offset, length, FrameType.HEADERS, flags, streamId);
}
