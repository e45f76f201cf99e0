/**
 * GOAWAY. RFC 9113 §6.8. Debug data is text for people; we cap what we send and what we keep.
 */
import { ErrorCode } from "../error-code.ts";
import { connectionFault, type Fault } from "../fault.ts";
import { FrameType } from "../frame-type.ts";
import { readUint31, readUint32, writeFrameHeader, writeUint32 } from "./frame-header.ts";

const FIXED_BYTES = 8;
/** Keeps a peer's debug data from becoming a log flood. */
const MAX_DEBUG_CHARACTERS = 256;

const NOT_ON_STREAM_0 = connectionFault(ErrorCode.PROTOCOL_ERROR, "goaway-on-a-stream");
const TOO_SHORT = connectionFault(ErrorCode.FRAME_SIZE_ERROR, "goaway-length");

export interface GoAway {
  readonly lastStreamId: number;
  readonly code: ErrorCode;
  readonly debugData: string;
}

export function checkGoAway(length: number, streamId: number): Fault | undefined {
  if (streamId !== 0) return NOT_ON_STREAM_0;
  return length >= FIXED_BYTES ? undefined : TOO_SHORT;
}

export function readGoAway(bytes: Buffer, start: number, length: number): GoAway {
  const debugEnd = start + Math.min(length, FIXED_BYTES + MAX_DEBUG_CHARACTERS);
  return {
    lastStreamId: readUint31(bytes, start),
    code: readUint32(bytes, start + 4),
    debugData: bytes.toString("latin1", start + FIXED_BYTES, debugEnd),
  };
}

export function goAwayBytes(debugData: string): number {
  return 9 + FIXED_BYTES + Math.min(debugData.length, MAX_DEBUG_CHARACTERS);
}

export function writeGoAway(target: Buffer, offset: number, goAway: GoAway): number {
  const text = goAway.debugData.slice(0, MAX_DEBUG_CHARACTERS);
  let at = writeFrameHeader(target, offset, FIXED_BYTES + text.length, FrameType.GOAWAY, 0, 0);
  at = writeUint32(target, at, goAway.lastStreamId);
  at = writeUint32(target, at, goAway.code);
  return at + target.write(text, at, "latin1");
}
