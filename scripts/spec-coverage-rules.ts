// Owns: the MUST and MUST NOT rules of the sections of RFC 9113 and RFC 7541 that the HTTP/2 core implements, in our own
// words, and which tests are about each: those whose names carry its section and match its words.
// Must not know: tests and documents (spec-coverage.ts).
// Invariant: a rule without words has a reason why nothing tests it.

export interface SpecRule {
  readonly rfc: "9113" | "7541";
  readonly section: string;
  readonly text: string;
  /** The sections whose tests may be about it. Some rules are said twice. */
  readonly sections: readonly string[];
  /** What the name of a test about it says. */
  readonly words?: RegExp;
  /** Why no test is about it. */
  readonly untested?: string;
}

/** `about`: words of the tests, or why there are none. `also`: further sections under which the same rule is tested. */
type Row = readonly [section: string, text: string, about: RegExp | string, ...also: string[]];

const NOT_OURS_TO_SEND = "our side never does that: no code path makes it";
const NO_PUSH = "push is refused as a whole (§6.6, §8.4): the rules of its parts are never reached";
const NO_INTERMEDIARY = "a rule for intermediaries: a gRPC server or client forwards no HTTP message";
const NO_COOKIES = "gRPC has no cookies: every value stays a metadata entry of its own";
const ONE_ORIGIN = "a connection belongs to one target of one channel: no other origin ever uses it";

const RFC_9113: readonly Row[] = [
  ["3.2", "over TLS the protocol is the one that ALPN chose", /without ALPN|does not choose h2/],
  [
    "3.3",
    "a client starts HTTP/2 over cleartext with prior knowledge, never with an Upgrade",
    /client sends the preface/,
    "3.4",
  ],
  ["3.4", "a client's first octets are the preface", /client sends the preface/],
  [
    "3.4",
    "SETTINGS, possibly empty, is the first frame of either side",
    /SETTINGS come first|preface, SETTINGS|nothing in front of its SETTINGS/,
  ],
  [
    "3.4",
    "the peer's preface SETTINGS are acknowledged after ours were sent",
    /says nothing until the preface is complete/,
  ],
  [
    "3.4",
    "an invalid preface is a connection error of type PROTOCOL_ERROR",
    /what is neither the preface|before SETTINGS is a connection error/,
  ],
  ["4.1", "frames of unknown type are ignored and discarded", /unknown type are ignored/, "5.5"],
  ["4.1", "flags without a meaning for the type are ignored on receipt", /undefined flags/],
  ["4.1", "flags without a meaning are sent unset", /a frame is length, type, flags/],
  ["4.1", "the reserved bit of a stream id is ignored on receipt", /the reserved bit .* are ignored/],
  ["4.1", "the reserved bit of a stream id is sent unset", /sends the reserved bit/],
  ["4.2", "every implementation accepts frames of 16,384 octets", /MAX_FRAME_SIZE is read/, "6.5.2"],
  ["4.2", "a frame above the announced SETTINGS_MAX_FRAME_SIZE is a FRAME_SIZE_ERROR", /longer than allowed/],
  ["4.2", "a frame too small for its mandatory content is a FRAME_SIZE_ERROR", /without room for/],
  [
    "4.2",
    "a wrong size of a frame that changes the state of the whole connection is a connection error",
    /ends the connection|is refused by its header/,
  ],
  [
    "4.3",
    "a header block is sent contiguously, without frames of any other kind or stream between",
    /nothing in between/,
  ],
  ["4.3", "a block that does not decode is a connection error of type COMPRESSION_ERROR", /does not decode/],
  [
    "4.3",
    "a receiver decodes every block, even where it discards the frames",
    /HPACK in step|decoded and credited/,
    "8.1.1",
    "6.8",
  ],
  [
    "4.3.1",
    "after the peer lowered its table size the first block begins with a size update",
    /lowered its table size/,
    "4.3",
  ],
  [
    "5.1",
    "on an idle stream only HEADERS and PRIORITY may come; anything else is a connection error of type PROTOCOL_ERROR",
    /idle stream/,
  ],
  [
    "5.1",
    "a stream that the peer has half-closed takes only WINDOW_UPDATE, PRIORITY and RST_STREAM; else STREAM_CLOSED",
    /ended by both ends the connection|half that is done stays done/,
  ],
  ["5.1", "on a closed stream nothing but PRIORITY is sent", /along any run/],
  [
    "5.1",
    "after END_STREAM was received a frame on the closed stream is a connection error of type STREAM_CLOSED",
    /ended by both ends the connection/,
  ],
  ["5.1", "frames under way when we sent RST_STREAM are ignored", /reset by us is late and ignored/],
  [
    "5.1",
    "DATA on a stream that is closed still counts towards the connection's window",
    /costs the connection's window nothing/,
  ],
  ["5.1.1", "ids of a client are odd, of a server even", /id of the other side/],
  ["5.1.1", "the id of a new stream is above every id its side has opened before", /odd and grow|begin in the order/],
  ["5.1.1", "an unexpected stream id is a connection error of type PROTOCOL_ERROR", /id of the other side/],
  ["5.1.1", "ids are not reused; a connection that has none left is replaced", /no id|exhaust|last id/],
  [
    "5.1.2",
    "no more streams are opened than the peer's SETTINGS_MAX_CONCURRENT_STREAMS",
    /client keeps to the server's limit/,
  ],
  [
    "5.1.2",
    "a HEADERS beyond the announced limit is a stream error: PROTOCOL_ERROR or REFUSED_STREAM",
    /beyond MAX_CONCURRENT_STREAMS/,
  ],
  [
    "5.2.1",
    "flow control applies to DATA only; other frames are never held back by it",
    /a reset waits for nothing/,
    "6.4",
  ],
  [
    "5.2.1",
    "the initial window is 65,535 octets for streams and for the connection",
    /default connection window/,
    "6.9.2",
  ],
  ["5.2.2", "a receiver reads and acts on WINDOW_UPDATE whatever else it waits for", /never wedge/, "6.9"],
  ["5.4.1", "after GOAWAY for a connection error the connection is closed", /GOAWAY says so|close names the fault/],
  ["5.4.2", "RST_STREAM is never sent in answer to RST_STREAM", /RST_STREAM on a stream .* is late and ignored/, "5.1"],
  ["5.5", "unknown and unsupported extension frames are discarded", /unknown type/],
  [
    "5.5",
    "an extension frame inside a header block is a connection error of type PROTOCOL_ERROR",
    /unknown type inside/,
    "6.10",
  ],
  ["6.1", "DATA on stream 0 is a connection error of type PROTOCOL_ERROR", /DATA on stream 0/],
  [
    "6.1",
    "DATA on a stream that is neither open nor half-closed (local) is answered with STREAM_CLOSED",
    /DATA on a stream ended/,
    "5.1",
  ],
  ["6.1", "padding as long as the payload or longer is a connection error of type PROTOCOL_ERROR", /padded as long/],
  ["6.1", "padding octets are sent as zero", NOT_OURS_TO_SEND],
  ["6.2", "HEADERS on stream 0 is a connection error of type PROTOCOL_ERROR", /HEADERS on stream 0/],
  [
    "6.2",
    "padding that exceeds the room left for the block is a connection error of type PROTOCOL_ERROR",
    /padded too long|padding reaches/,
  ],
  [
    "6.2",
    "HEADERS without END_HEADERS is followed by CONTINUATION of the same stream",
    /inside a header block/,
    "6.10",
  ],
  ["6.3", "PRIORITY on stream 0 is a connection error of type PROTOCOL_ERROR", /PRIORITY on stream 0/],
  ["6.3", "PRIORITY of other than 5 octets is a stream error of type FRAME_SIZE_ERROR", /PRIORITY of 4 octets/],
  ["6.4", "after RST_STREAM nothing but PRIORITY is sent on the stream", /a reset waits for nothing/],
  ["6.4", "after RST_STREAM was received nothing further is sent on the stream", /peer's reset is reported once/],
  ["6.4", "frames the peer sent before it saw our RST_STREAM are handled", /reset by us is late/, "5.1"],
  ["6.4", "RST_STREAM on stream 0 is a connection error of type PROTOCOL_ERROR", /RST_STREAM on stream 0/],
  ["6.4", "RST_STREAM is not sent on an idle stream", /not sent on an idle|idle stream is not reset/, "5.1"],
  ["6.4", "RST_STREAM on an idle stream is a connection error of type PROTOCOL_ERROR", /RST_STREAM on an idle stream/],
  ["6.4", "RST_STREAM of other than 4 octets is a connection error of type FRAME_SIZE_ERROR", /RST_STREAM of 3 octets/],
  ["6.5", "an acknowledgement has no payload; otherwise FRAME_SIZE_ERROR", /acknowledgement with a payload/],
  ["6.5", "SETTINGS on a stream is a connection error of type PROTOCOL_ERROR", /SETTINGS on a stream/],
  ["6.5", "SETTINGS that is badly formed or incomplete is a connection error", /acknowledgement of nothing/],
  [
    "6.5",
    "a length that is no multiple of 6 octets is a connection error of type FRAME_SIZE_ERROR",
    /SETTINGS of 5 octets/,
  ],
  ["6.5.1", "parameters are processed in the order they come", /last of repeated/, "6.5"],
  ["6.5.2", "ENABLE_PUSH other than 0 or 1 is a PROTOCOL_ERROR", /ENABLE_PUSH/],
  [
    "6.5.2",
    "a server does not set ENABLE_PUSH to 1; a client that receives it ends the connection",
    /ENABLE_PUSH.*server|ENABLE_PUSH 1/,
  ],
  ["6.5.2", "INITIAL_WINDOW_SIZE above 2^31-1 is a FLOW_CONTROL_ERROR", /INITIAL_WINDOW_SIZE/],
  ["6.5.2", "MAX_FRAME_SIZE outside 2^14 to 2^24-1 is a PROTOCOL_ERROR", /MAX_FRAME_SIZE (below|above)/],
  ["6.5.2", "unknown parameters are ignored", /unknown parameters/],
  ["6.5.3", "parameters are applied in order, then acknowledged at once", /acknowledged at once/],
  [
    "6.5.3",
    "the sender of a changed parameter relies on it only from its acknowledgement on",
    /from its acknowledgement on/,
  ],
  ["6.6", "PUSH_PROMISE is not sent where the peer's ENABLE_PUSH is 0", NOT_OURS_TO_SEND],
  [
    "6.6",
    "PUSH_PROMISE although ENABLE_PUSH 0 was acknowledged is a connection error of type PROTOCOL_ERROR",
    /PUSH_PROMISE ends/,
  ],
  ["6.6", "PUSH_PROMISE on stream 0 or with an illegal promised id is a connection error", NO_PUSH],
  ["6.7", "a PING without ACK is answered with ACK and the same octets", /answered with its own octets/],
  ["6.7", "a PING with ACK is not answered", /never answered/],
  ["6.7", "PING on a stream is a connection error of type PROTOCOL_ERROR", /PING on a stream/],
  [
    "6.7",
    "PING of other than 8 octets is a connection error of type FRAME_SIZE_ERROR",
    /PING of 7 octets|acknowledgement of 9/,
  ],
  ["6.8", "after a GOAWAY was received no stream is opened", /no new one opens|may not begin after GOAWAY/],
  ["6.8", "the last id of a GOAWAY is never above that of an earlier one", /drain announces itself/],
  ["6.8", "GOAWAY on a stream is a connection error of type PROTOCOL_ERROR", /GOAWAY on a stream/],
  [
    "6.8",
    "HEADERS, PUSH_PROMISE and CONTINUATION above the last id are still decoded, DATA still counted",
    /decoded and credited/,
  ],
  [
    "6.9",
    "an increment of 0 is a stream error, on the connection a connection error, of type PROTOCOL_ERROR",
    /WINDOW_UPDATE of 0/,
  ],
  ["6.9", "WINDOW_UPDATE of other than 4 octets is a connection error of type FRAME_SIZE_ERROR", /of 5 octets/],
  [
    "6.9",
    "a receiver of flow-controlled frames accounts for them even where the frame is in error",
    /window is conserved/,
  ],
  [
    "6.9",
    "WINDOW_UPDATE on a half-closed (remote) or closed stream is no error",
    /WINDOW_UPDATE on a stream .* ignored/,
    "5.1",
  ],
  ["6.9.1", "no more is sent than either window has", /nothing is sent beyond/],
  ["6.9.1", "frames without payload may be sent without any window", /empty last frame/],
  ["6.9.1", "a window above 2^31-1 is a FLOW_CONTROL_ERROR of the stream or the connection", /beyond 2\^31-1/],
  ["6.9.1", "DATA beyond the window is a FLOW_CONTROL_ERROR", /one octet more|DATA beyond the connection's window/],
  ["6.9.2", "a change of INITIAL_WINDOW_SIZE adjusts every stream's window by the difference", /initial size/],
  ["6.9.2", "a window may become negative; nothing is sent until it is positive", /negative/],
  [
    "6.9.2",
    "a change that lifts a window above 2^31-1 is a connection error of type FLOW_CONTROL_ERROR",
    /lifts any stream/,
  ],
  ["6.9.2", "the connection's window changes by WINDOW_UPDATE only", /default connection window|connection window/],
  [
    "6.9.3",
    "a receiver that lowers a window takes what was sent before the peer could know",
    /before the peer can know/,
  ],
  [
    "6.10",
    "CONTINUATION on stream 0 or without an open block is a connection error of type PROTOCOL_ERROR",
    /without HEADERS/,
  ],
  [
    "6.10",
    "until END_HEADERS only CONTINUATION of the same stream may come; else PROTOCOL_ERROR",
    /inside a header block/,
  ],
  ["7", "unknown error codes cause no special behaviour", /known or not/, "6.4"],
  [
    "8.1",
    "a message has one header section first, content, at most one trailer section",
    /second header block is trailers/,
  ],
  ["8.1", "a trailer section without END_STREAM is malformed", /must end the stream/],
  ["8.1", "an interim response does not end its stream", /interim response that ends/],
  [
    "8.1",
    "a client does not discard a response because of RST_STREAM with NO_ERROR after it",
    /then RST_STREAM\(NO_ERROR\)/,
  ],
  ["8.1.1", "a malformed message is a stream error of type PROTOCOL_ERROR", /refused request/],
  ["8.1.1", "content-length that does not equal the octets of DATA is malformed", /content-length equals/],
  ["8.2", "names are sent in lower case", /upper case/],
  ["8.2", "a field section with an illegal name or value is malformed", /makes a request malformed/, "8.2.1"],
  [
    "8.2.1",
    "a name has no octet below 0x21, above 0x7e, nor upper case",
    /uppercase name|name with a space|other characters|token characters/,
  ],
  ["8.2.1", "a name has no colon but the first of a pseudo-header", /colon|other characters/],
  ["8.2.1", "a value has no NUL, CR or LF", /NUL|CR LF|CR, LF/],
  ["8.2.1", "a value neither starts nor ends with space or tab", /starts with a space|ends with a tab|space and tab/],
  ["8.2.2", "connection-specific fields make a message malformed", /connection|keep-alive|upgrade/],
  ["8.2.2", "te may say nothing but trailers", /te with|te may/],
  ["8.2.3", "cookie crumbs are joined with '; ' before they go to anything but HTTP/2", NO_COOKIES],
  ["8.3", "pseudo-headers come before all other fields", /behind a field/],
  ["8.3", "a pseudo-header appears once", /two :/],
  [
    "8.3",
    "unknown pseudo-headers, and those of the other direction, are malformed",
    /unknown pseudo|response pseudo|request pseudo/,
  ],
  ["8.3", "pseudo-headers in trailers are malformed", /carry no pseudo-header/, "8.1"],
  ["8.3.1", ":method, :scheme and :path are given exactly once", /no :(method|scheme|path)/],
  ["8.3.1", ":path is not empty for http and https", /empty :path/],
  ["8.3.1", "Host that differs from :authority is malformed", /beside :authority .* malformed/],
  ["8.3.1", "an intermediary that forwards builds :authority from Host", NO_INTERMEDIARY],
  ["8.3.2", "a response has :status, once", /:status/],
  ["8.4", "a client receives no push where it disabled it; a server never receives one", /PUSH_PROMISE ends/, "6.6"],
  ["8.4.1", "promised requests are safe, cacheable and without content", NO_PUSH],
  ["8.5", "CONNECT has neither :scheme nor :path", /CONNECT/],
  ["8.6", "101 is not sent in HTTP/2", NOT_OURS_TO_SEND],
  ["8.7", "a refused stream was not processed; its request may be tried again", /a stream refused/],
  ["9.1.1", "a connection is only reused for an origin that it is authoritative for", ONE_ORIGIN],
  ["9.2", "TLS is 1.2 or later", /TLS 1\.2 is spoken/],
  ["9.2.1", "over TLS 1.2 there is no renegotiation", /renegotiate/],
  ["9.2.2", "over TLS 1.2 a prohibited cipher suite is refused", /without ephemeral keys/],
  ["10.3", "what would be illegal in HTTP/1.1 fields is not forwarded", NO_INTERMEDIARY],
  [
    "10.5.1",
    "a list above the limit may be refused, but its block is decoded all the same",
    /above maxHeaderListBytes|stop at the cap/,
  ],
];

const RFC_7541: readonly Row[] = [
  ["2.3.2", "the dynamic table is first in, first out", /newest entry is the first|evicts the oldest/, "2.3.3", "4.3"],
  ["2.3.3", "an index past the end of the tables is a decoding error", /past the/],
  ["3.1", "a block is decoded in order, each field keeps its place", /same fields/],
  ["3.2", "every representation of a block is processed, whatever is done with the fields", /stay in step/],
  ["4.1", "an entry counts its octets and 32", /plus 32/],
  ["4.2", "the encoder keeps within the maximum that the decoder's side set", /smaller peer table|used up to the cap/],
  [
    "4.2",
    "a lowered maximum is acknowledged by a size update at the beginning of the next block",
    /must begin with an update|announced once/,
  ],
  ["4.2", "of several changes the smallest and the last are signalled", /smallest/],
  ["4.2", "a size update stands at the beginning of a block", /after a field/],
  ["4.3", "a smaller maximum evicts from the end", /evicts the oldest/],
  ["4.4", "entries are evicted before a new one is added", /evicts|evict/],
  ["4.4", "an entry larger than the table empties it and is no error", /empties/],
  ["4.4", "a name referenced by a new entry may be evicted by it; the reference still holds", /own insertion evicts/],
  [
    "5.1",
    "an integer beyond what we can represent is a decoding error",
    /above the largest|above 2\^28|index of 2\^28|overlong/,
  ],
  ["5.2", "padding longer than 7 bits is a decoding error", /seven bits|whole octet/],
  [
    "5.2",
    "padding that is not the start of the end-of-string code is a decoding error",
    /padding with (zeros|anything)/,
  ],
  ["5.2", "an end-of-string code inside a string is a decoding error", /end-of-string/],
  ["5.2", "a string ends within its block", /longer than the block|without a length/],
  ["6.1", "index 0 is a decoding error", /index 0/],
  ["6.2.2", "a literal without indexing changes no table", /WITHOUT leaves/],
  ["6.2.3", "a never-indexed literal is forwarded as one", /NEVER is a literal/],
  ["6.3", "a size update above the maximum is a decoding error", /above the maximum/],
  ["7.1.3", "a never-indexed field stays one on every hop", NO_INTERMEDIARY],
];

function toRule(rfc: SpecRule["rfc"], [section, text, about, ...also]: Row): SpecRule {
  const rule = { rfc, section, text, sections: [section, ...also] };
  return typeof about === "string" ? { ...rule, untested: about } : { ...rule, words: about };
}

export const SPEC_RULES: readonly SpecRule[] = [
  ...RFC_9113.map((row) => toRule("9113", row)),
  ...RFC_7541.map((row) => toRule("7541", row)),
];
