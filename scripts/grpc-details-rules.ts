// Owns: the forty details of gRPC over HTTP/2 that official suites and other implementations pin, in our own words.
// Must not know: which tests there are (grpc-details.ts).

export type Side = "client" | "server" | "both";

export interface GrpcDetail {
  readonly number: number;
  /** Whose behaviour it is; "both" where code of both sides, or shared code, has it. */
  readonly side: Side;
  readonly rule: string;
  readonly source: string;
}

const WIRE = "PROTOCOL-HTTP2";
const MAPPING = "http-grpc-status-mapping";

/** Each row is numbered by its place, from 1: the names of tests refer to it. */
const ROWS: readonly (readonly [side: Side, rule: string, source: string])[] = [
  ["both", "`grpc-message` is UTF-8, percent-encoded outside 0x20-0x24 and 0x26-0x7E; decoding never fails", WIRE],
  ["both", "`grpc-status` is decimal without leading zeros; what cannot be read is UNKNOWN", WIRE],
  ["client", "`grpc-status` beats the HTTP status, which a gRPC content-type makes meaningless", MAPPING],
  ["client", "an answer that is no gRPC has the status that its HTTP status maps to", MAPPING],
  ["client", "interim responses are passed over; one that ends the stream is INTERNAL", "RFC 9113 §8.1"],
  ["both", "`grpc-timeout` is up to eight digits and a unit, rounded up; malformed is INTERNAL, zero has passed", WIRE],
  ["server", "no `grpc-timeout` is no deadline; a server may cap it", WIRE],
  [
    "both",
    "a deadline ends the call on either side by its own clock; a cancel past the deadline is DEADLINE_EXCEEDED",
    WIRE,
  ],
  ["client", "Trailers-Only is one block; `grpc-status` in headers that do not end the stream is no status", WIRE],
  ["both", "the status is sent even if it is OK", WIRE],
  ["both", "no message, or two, where one is due is UNIMPLEMENTED", "gRPC statuscodes"],
  ["both", "a compressed flag without an encoding, and a flag above 1, are INTERNAL", "gRPC compression"],
  ["both", "an unknown encoding is UNIMPLEMENTED, with the list of those accepted", "gRPC compression"],
  ["both", "each message is compressed by itself; one that is not may stand among those that are", "gRPC compression"],
  ["server", "the answer is compressed only as the client accepts", "gRPC compression"],
  ["both", "the size limit holds on the wire and inflated: RESOURCE_EXHAUSTED", "gRPC compression"],
  ["both", "`-bin` values: padded or not, split at commas, sent without padding; what is no base64 is INTERNAL", WIRE],
  ["both", "duplicates keep their order; reserved names are stripped; a value that cannot travel fails no call", WIRE],
  ["both", "the size of metadata is name, value and 32 a field, with base64 counted as sent", "RFC 9113 §6.5.2"],
  ["both", "content-type is application/grpc, alone or with `+` or `;`; anything else is HTTP 415 to a server", WIRE],
  ["server", "a method other than POST is HTTP 405; a missing `te` is tolerated", WIRE],
  ["server", "paths are compared octet by octet; an unknown one is UNIMPLEMENTED", WIRE],
  ["server", "two `:authority`, another `host`, or a `connection` header is malformed", "gRFC A41"],
  ["both", "RST_STREAM codes map to statuses in a client; to a server each of them is a cancellation", WIRE],
  ["both", "messages are independent of DATA frames; one cut short by END_STREAM is INTERNAL", WIRE],
  ["client", "half-close is END_STREAM, on the last DATA of a unary request", WIRE],
  ["both", "a status before the request is complete is followed by RST_STREAM(NO_ERROR) and stands", WIRE],
  ["both", "a lost connection is UNAVAILABLE to the client and cancels the handlers of the server", "gRPC statuscodes"],
  ["both", "a keepalive PING without answer is a lost connection", "gRFC A8"],
  ["server", "a drain is two GOAWAYs with a PING between; new streams are taken until it is answered", "gRFC A9"],
  ["client", "GOAWAY: streams up to the last id finish, those above are sent elsewhere", "RFC 9113 §6.8"],
  ["both", "connections end by age, with jitter, and before their stream ids run out", "gRFC A9"],
  [
    "client",
    "keepalive: only with calls by default, at least 10 s apart, twice as far after too_many_pings",
    "gRFC A8",
  ],
  ["server", "too many PINGs are strikes; after the third GOAWAY ENHANCE_YOUR_CALM `too_many_pings`", "gRFC A8"],
  ["server", "the server's own keepalive is 2 h and 20 s, with or without calls", "gRFC A8"],
  [
    "client",
    "calls above MAX_CONCURRENT_STREAMS wait in order, their deadlines running; cancelled ones send nothing",
    "gRFC A105",
  ],
  ["client", "a call that never left is sent again without limit, one that was refused once", "gRFC A6"],
  ["client", "retries: committed by response headers or a full buffer, capped, jittered, throttled", "gRFC A6"],
  [
    "client",
    "`grpc-retry-pushback-ms` is the exact delay or an end; `grpc-previous-rpc-attempts` counts from 1",
    "gRFC A6",
  ],
  ["client", "the runtime's own failures never look like the application's; wait-for-ready waits", "gRFC A54"],
];

export const GRPC_DETAILS: readonly GrpcDetail[] = ROWS.map(([side, rule, source], index) => ({
  number: index + 1,
  side,
  rule,
  source,
}));
