/**
 * PRIORITY: deprecated, checked and ignored. RFC 9113 §6.3, §5.3.2.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault, streamFault } from "../fault.ts";
import { readUint31 } from "./frame-header.ts";

export const PRIORITY_PAYLOAD_BYTES = 5;

const ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "priority-on-stream-0");
const WRONG_LENGTH = streamFault(ErrorCode.FRAME_SIZE_ERROR, "priority-length");
const SELF_DEPENDENCY = streamFault(ErrorCode.PROTOCOL_ERROR, "priority-depends-on-itself");

export function checkPriority(bytes: Buffer, start: number, length: number, streamId: number): Fault | undefined {
  if (streamId === 0) return ON_STREAM_0;
  if (length !== PRIORITY_PAYLOAD_BYTES) return WRONG_LENGTH;
  return readUint31(bytes, start) === streamId ? SELF_DEPENDENCY : undefined;
}
