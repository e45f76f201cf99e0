/**
 * `volant/http2`: HTTP/2 as bytes, without I/O.
 */
import "../runtime-floor.ts";

export { acquireBuffer, releaseBuffer } from "./buffer-pool.ts";
export { Http2Connection } from "./connection.ts";
export type { PeerLists } from "./connection-parts.ts";
export { ErrorCode, errorCodeName } from "./error-code.ts";
export { connectionFault, type Fault, type FaultScope, type Initiator } from "./fault.ts";
export type { GoAway } from "./frames/goaway.ts";
export {
  encodeStaticBlock,
  FIELD_OVERHEAD_BYTES,
  HeaderField,
  HeaderToken,
  Indexing,
  listBytes,
  type OutboundField,
} from "./hpack/index.ts";
export { type Http2Options, type ResolvedHttp2Options, type Role, resolveHttp2Options } from "./options.ts";
export type { TakenOutput } from "./output-buffer.ts";
export type { Http2Sink } from "./sink.ts";
export type { Http2Stream, OutboundBlock } from "./stream.ts";
export {
  STREAM_INPUTS,
  STREAM_TRANSITIONS,
  StreamInput,
  StreamState,
  StreamVerdict,
} from "./stream-state.ts";
export { UsageError } from "./usage-error.ts";
