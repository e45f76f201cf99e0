/**
 * WINDOW_UPDATE. RFC 9113 §6.9.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault, streamFault } from "../fault.ts";
import { FrameType } from "../frame-type.ts";
import { readUint31, writeFrameHeader, writeUint32 } from "./frame-header.ts";

const PAYLOAD_BYTES = 4;
export const WINDOW_UPDATE_BYTES = 9 + PAYLOAD_BYTES;

const WRONG_LENGTH = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "window-update-length");
const ZERO_ON_CONNECTION = connectionFault(ErrorCode.PROTOCOL_ERROR, "window-update-zero-on-connection");
const ZERO_ON_STREAM = streamFault(ErrorCode.PROTOCOL_ERROR, "window-update-zero-on-stream");

export function checkWindowUpdate(bytes: Buffer, start: number, length: number, streamId: number): Fault | undefined {
  if (length !== PAYLOAD_BYTES) return WRONG_LENGTH;
  // RFC 9113 §6.9: an increment of 0 is an error of the stream, on stream 0 of the connection.
  if (readUint31(bytes, start) === 0) return streamId === 0 ? ZERO_ON_CONNECTION : ZERO_ON_STREAM;
  return undefined;
}

export function readWindowUpdate(bytes: Buffer, start: number): number {
  return readUint31(bytes, start);
}

export function writeWindowUpdate(target: Buffer, offset: number, streamId: number, increment: number): number {
  const payload = writeFrameHeader(target, offset, PAYLOAD_BYTES, FrameType.WINDOW_UPDATE, 0, streamId);
  return writeUint32(target, payload, increment);
}
