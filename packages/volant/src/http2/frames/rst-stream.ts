/**
 * RST_STREAM. RFC 9113 §6.4.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameType } from "../frame-type.ts";
import { readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";

const PAYLOAD_BYTES = 4;
const ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "rst-stream-on-stream-0");
const WRONG_LENGTH = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "rst-stream-length");

export const RST_STREAM_BYTES = 9 + PAYLOAD_BYTES;

export function checkRstStream(length: number, streamId: number): Fault | undefined {
  if (streamId === 0) return ON_STREAM_0;
  return length === PAYLOAD_BYTES ? undefined : WRONG_LENGTH;
}

export function readRstStream(bytes: Buffer, start: number): ErrorCode {
  return readUint32(bytes, start);
}

export function writeRstStream(target: Buffer, offset: number, streamId: number, code: ErrorCode): number {
  return writeUint32(target, writeFrameHeader(target, offset, PAYLOAD_BYTES, FrameType.RST_STREAM, 0, streamId), code);
}
