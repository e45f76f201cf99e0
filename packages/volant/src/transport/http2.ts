/**
 * The words of HTTP/2 that the layers above a connection speak: streams, fields, error codes. They come through here, so
 * that nothing above `transport/` reaches into the core. Also the names of its options, for those who take them as `http2`.
 */
import { type Http2Options, OPTION_RULES } from "../http2/options.ts";
import { namesOf, type OptionTable } from "../rpc/option-names.ts";

export {
  connectionFault,
  ErrorCode,
  encodeStaticBlock,
  errorCodeName,
  type Fault,
  FIELD_OVERHEAD_BYTES,
  type GoAway,
  type HeaderField,
  HeaderToken,
  Http2Connection,
  type Http2Options,
  type Http2Sink,
  type Http2Stream,
  Indexing,
  type Initiator,
  listBytes,
  type OutboundField,
  type PeerLists,
  type ResolvedHttp2Options,
  resolveHttp2Options,
} from "../http2/index.ts";

export const HTTP2_OPTIONS = namesOf(OPTION_RULES) satisfies OptionTable<Http2Options>;
