/**
 * DATA. RFC 9113 §6.1. Padding counts towards both flow-control windows; the caller credits it back.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameFlag, FrameType } from "../frame-type.ts";
import { writeFrameHeader } from "./frame-header.ts";

const ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "data-on-stream-0");
const TOO_SHORT = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "data-too-short");
export const DATA_PADDING_TOO_LONG: Fault = connectionFault(ErrorCode.PROTOCOL_ERROR, "data-padding-too-long");

export function checkData(length: number, flags: number, streamId: number): Fault | undefined {
  // RFC 9113 §6.1: DATA belongs to a stream.
  if (streamId === 0) return ON_STREAM_0;
  // RFC 9113 §4.2: a padded frame has room for its pad length.
  return length === 0 && (flags & FrameFlag.PADDED) !== 0 ? TOO_SHORT : undefined;
}

/** Only the header: the payload follows in place. */
export function writeDataHeader(
  target: Buffer,
  offset: number,
  streamId: number,
  length: number,
  endStream: boolean,
): number {
  return writeFrameHeader(target, offset, length, FrameType.DATA, endStream ? FrameFlag.END_STREAM : 0, streamId);
}
