/**
 * PING. RFC 9113 §6.7. The eight opaque octets we send carry a counter in the last four; what a peer sends is echoed.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameFlag, FrameType } from "../frame-type.ts";
import { readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";

const PAYLOAD_BYTES = 8;
export const PING_BYTES = 9 + PAYLOAD_BYTES;

const NOT_ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "ping-on-a-stream");
const WRONG_LENGTH = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "ping-length");

export function checkPing(length: number, streamId: number): Fault | undefined {
  if (streamId !== 0) return NOT_ON_STREAM_0;
  return length === PAYLOAD_BYTES ? undefined : WRONG_LENGTH;
}

export function writePing(target: Buffer, offset: number, opaque: number): number {
  const payload = writeFrameHeader(target, offset, PAYLOAD_BYTES, FrameType.PING, 0, 0);
  return writeUint32(target, writeUint32(target, payload, 0), opaque);
}

/** The opaque number of an acknowledged PING of ours, or -1 where the octets are not ours. */
export function readPingAck(bytes: Buffer, start: number): number {
  return readUint32(bytes, start) === 0 ? readUint32(bytes, start + 4) : -1;
}

/** RFC 9113 §6.7: the acknowledgement carries the octets of the PING unchanged. */
export function writePingAck(target: Buffer, offset: number, bytes: Buffer, start: number): number {
  const payload = writeFrameHeader(target, offset, PAYLOAD_BYTES, FrameType.PING, FrameFlag.ACK, 0);
  for (let i = 0; i < PAYLOAD_BYTES; i++) target[payload + i] = bytes[start + i]!;
  return payload + PAYLOAD_BYTES;
}
