/**
 * A frame of the shared collection, written by the library's own writers. Owns the collection's names for the parts of a
 * frame. Frames that we never send (padding, priorities, promises) have no writer.
 */

import type { ErrorCode } from "volant/http2";
import { FrameFlag, FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import { writeContinuationHeader } from "../../packages/volant/src/http2/frames/continuation.ts";
import { writeGoAway } from "../../packages/volant/src/http2/frames/goaway.ts";
import { writeHeadersHeader } from "../../packages/volant/src/http2/frames/headers.ts";
import { writePingAck } from "../../packages/volant/src/http2/frames/ping.ts";
import { writeRstStream } from "../../packages/volant/src/http2/frames/rst-stream.ts";
import { writeSettings } from "../../packages/volant/src/http2/frames/settings.ts";
import { writeWindowUpdate } from "../../packages/volant/src/http2/frames/window-update.ts";

export interface FrameCase {
  readonly wire: string;
  /** Codes to refuse it with; null where it is valid. */
  readonly error: readonly number[] | null;
  readonly frame: CollectedFrame | null;
}

export interface CollectedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream_identifier: number;
  readonly frame_payload: {
    readonly settings?: readonly (readonly [number, number])[];
    readonly opaque_data?: string;
    readonly error_code?: number;
    readonly last_stream_id?: number;
    readonly additional_debug_data?: string;
    readonly window_size_increment?: number;
    readonly header_block_fragment?: string;
  };
}

type Writer = (target: Buffer, frame: CollectedFrame) => number;

const WRITERS: Readonly<Record<number, Writer>> = {
  [FrameType.SETTINGS]: (target, { frame_payload: { settings = [] } }) => writeSettings(target, 0, settings),
  [FrameType.PING](target, { frame_payload: { opaque_data = "" } }) {
    // The one PING whose octets are not ours to choose is an acknowledgement; it differs in its flag alone.
    const end = writePingAck(target, 0, Buffer.from(opaque_data, "latin1"), 0);
    target[4]! &= ~FrameFlag.ACK;
    return end;
  },
  [FrameType.RST_STREAM]: (target, { stream_identifier: id, frame_payload: { error_code = 0 } }) =>
    writeRstStream(target, 0, id, error_code as ErrorCode),
  [FrameType.WINDOW_UPDATE]: (target, { stream_identifier: id, frame_payload: { window_size_increment = 0 } }) =>
    writeWindowUpdate(target, 0, id, window_size_increment),
  [FrameType.GOAWAY](target, { frame_payload }) {
    const { last_stream_id: lastStreamId = 0, error_code = 0, additional_debug_data: debugData = "" } = frame_payload;
    return writeGoAway(target, 0, { lastStreamId, code: error_code as ErrorCode, debugData });
  },
  [FrameType.HEADERS]: writeBlock(writeHeadersHeader),
  [FrameType.CONTINUATION]: writeBlock(writeContinuationHeader),
};

function writeBlock(writeHeader: typeof writeHeadersHeader): Writer {
  return (target, { flags, stream_identifier: id, frame_payload: { header_block_fragment: fragment = "" } }) => {
    const payload = writeHeader(target, 0, id, fragment.length, flags);
    return payload + target.write(fragment, payload, "latin1");
  };
}

/** The octets we would send; undefined for what we never send. */
export function writeFrame({ frame }: FrameCase): Buffer | undefined {
  if (frame === null || (frame.flags & (FrameFlag.PADDED | FrameFlag.PRIORITY)) !== 0) return undefined;
  const target = Buffer.alloc(1024);
  const end = WRITERS[frame.type]?.(target, frame);
  return end === undefined ? undefined : target.subarray(0, end);
}
