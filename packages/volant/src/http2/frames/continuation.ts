/**
 * CONTINUATION. RFC 9113 §6.10. Which one may follow which is owned by `../header-block.ts`.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameType } from "../frame-type.ts";
import { writeFrameHeader } from "./frame-header.ts";

export const CONTINUATION_WITHOUT_HEADERS: Fault = connectionFault(
  ErrorCode.PROTOCOL_ERROR,
  "continuation-without-headers",
);

/** Only the header: the fragment follows in place. */
export function writeContinuationHeader(
  target: Buffer,
  offset: number,
  streamId: number,
  length: number,
  flags: number,
): number {
  return writeFrameHeader(target, offset, length, FrameType.CONTINUATION, flags, streamId);
}
