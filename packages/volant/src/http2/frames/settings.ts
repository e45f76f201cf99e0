/**
 * SETTINGS on the wire: six octets a parameter. RFC 9113 §6.5. What the values mean is owned by `../settings.ts`.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameFlag, FrameType } from "../frame-type.ts";
import { writeFrameHeader, writeUint32 } from "./frame-header.ts";

export const SETTINGS_ENTRY_BYTES = 6;

const NOT_ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "settings-on-a-stream");
const ACK_WITH_PAYLOAD = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings-ack-with-payload");
const WRONG_LENGTH = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings-length");

export function checkSettings(length: number, flags: number, streamId: number): Fault | undefined {
  if (streamId !== 0) return NOT_ON_STREAM_0;
  if ((flags & FrameFlag.ACK) !== 0) return length === 0 ? undefined : ACK_WITH_PAYLOAD;
  return length % SETTINGS_ENTRY_BYTES === 0 ? undefined : WRONG_LENGTH;
}

export function writeSettings(target: Buffer, offset: number, entries: readonly (readonly [number, number])[]): number {
  let at = writeFrameHeader(target, offset, entries.length * SETTINGS_ENTRY_BYTES, FrameType.SETTINGS, 0, 0);
  for (const [id, value] of entries) {
    target[at] = id >>> 8;
    target[at + 1] = id;
    at = writeUint32(target, at + 2, value);
  }
  return at;
}

export function writeSettingsAck(target: Buffer, offset: number): number {
  return writeFrameHeader(target, offset, 0, FrameType.SETTINGS, FrameFlag.ACK, 0);
}
