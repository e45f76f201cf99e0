/**
 * Every way in which a request can be wrong, and what the specifications say it gets. Owns the list; the tests and
 * `docs/malformed-requests.md` are made from it.
 *
 * Sources: gRPC PROTOCOL-HTTP2 "Requests", "Errors"; gRPC compression.md; gRFC A41; RFC 9113 §8.1 to §8.3.
 */
import { StatusCode } from "../../src/index.ts";
import { type Fields, type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";
import { ErrorCode } from "../../src/transport/http2.ts";
import { GRPC_FIELDS, prefixed } from "../server/support/raw-peer.ts";

/** What the client sees: a status in one header block, a status behind response headers, or a reset. */
export type Verdict =
  | { readonly code: StatusCode; readonly http?: number; readonly says: RegExp }
  | { readonly reset: ErrorCode };

export interface MalformedRequest {
  readonly part: "method and path" | "headers" | "metadata" | "timeout" | "compression" | "messages";
  readonly name: string;
  /** Of the forty details; none where RFC 9113 alone has the rule. */
  readonly detail?: number;
  readonly verdict: Verdict;
  readonly frames: (streamId: number) => readonly FrameBuilder[];
  /** The same request with each octet of its body in a frame of its own; the verdict does not change. */
  readonly inOctets?: (streamId: number) => readonly FrameBuilder[];
}

export const MAX_MESSAGE_BYTES = 1_000;
export const UNARY = "/volant.test.Lab/Unary";
const EMPTY: Buffer = prefixed(Buffer.alloc(0));
const { INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED } = StatusCode;
const MALFORMED: Verdict = { reset: ErrorCode.PROTOCOL_ERROR };

/** A request with one message, whose pseudo-headers are as given. */
function request(streamId: number, path: string, fields: Fields, method = "POST"): FrameBuilder[] {
  return [frames.headers(streamId).request(method, path, fields), frames.data(streamId, EMPTY).endStream()];
}

function withPath(path: string): MalformedRequest["frames"] {
  return (streamId) => request(streamId, path, GRPC_FIELDS);
}

function withMethod(method: string): MalformedRequest["frames"] {
  return (streamId) => request(streamId, UNARY, GRPC_FIELDS, method);
}

/** A call whose fields are these, content-type and te included. */
function withFields(fields: Fields): MalformedRequest["frames"] {
  return (streamId) => request(streamId, UNARY, fields);
}

function withField(name: string, value: string): MalformedRequest["frames"] {
  return withFields([...GRPC_FIELDS, [name, value]]);
}

/** The whole header list as given. */
function withList(fields: Fields): MalformedRequest["frames"] {
  return (streamId) => [frames.headers(streamId).fields(fields), frames.data(streamId, EMPTY).endStream()];
}

type Body = Pick<MalformedRequest, "frames" | "inOctets">;

function withBody(method: string, body: Buffer, more: Fields = []): Body {
  const head = (streamId: number): FrameBuilder =>
    frames.headers(streamId).request("POST", `/volant.test.Lab/${method}`, [...GRPC_FIELDS, ...more]);
  return {
    frames: (streamId) => [head(streamId), frames.data(streamId, body).endStream()],
    inOctets: (streamId) => [
      head(streamId),
      ...[...body].map((octet) => frames.data(streamId, Buffer.of(octet))),
      frames.data(streamId, "").endStream(),
    ],
  };
}

const PSEUDO: Fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", UNARY],
  [":authority", "lab"],
];

function unknownMethod(name: string, path: string, says: RegExp): MalformedRequest {
  return {
    part: "method and path",
    detail: 22,
    name,
    verdict: { code: UNIMPLEMENTED, http: 200, says },
    frames: withPath(path),
  };
}

const PATHS: readonly MalformedRequest[] = [
  unknownMethod("an unknown method of a known service", "/volant.test.Lab/Nope", /unknown method/),
  unknownMethod("an unknown service", "/a.B/C", /unknown service a\.B/),
  unknownMethod("a path in another case", "/volant.test.lab/unary", /unknown service/),
  unknownMethod("a method in another case", "/volant.test.Lab/unary", /unknown method/),
  unknownMethod("a path with two slashes in front", `/${UNARY}`, /no method path|unknown/),
  unknownMethod("a path with a slash behind", `${UNARY}/`, /no method path|unknown/),
  unknownMethod("a path with one part", "/Unary", /no method path/),
  unknownMethod("a path with an encoded slash", "/volant.test.Lab%2FUnary", /no method path/),
  unknownMethod("a path with an encoded letter", "/volant.test.Lab/%55nary", /unknown method/),
  unknownMethod("a path with a query", `${UNARY}?a=b`, /unknown method/),
  unknownMethod("a path with parameters", `${UNARY};a=b`, /unknown method/),
  unknownMethod("a path with dots", "/volant.test.Lab/../volant.test.Lab/Unary", /no method path|unknown/),
  unknownMethod("a path without its first slash", "volant.test.Lab/Unary", /no method path/),
  { part: "method and path", detail: 22, name: "an empty path", verdict: MALFORMED, frames: withPath("") },
  ...["GET", "PUT", "OPTIONS", "post"].map(
    (method): MalformedRequest => ({
      part: "method and path",
      detail: 21,
      name: `the method ${method}`,
      verdict: { code: INTERNAL, http: 405, says: /a gRPC call is a POST/ },
      frames: withMethod(method),
    }),
  ),
];

function contentType(name: string, fields: Fields): MalformedRequest {
  const verdict: Verdict = { code: INTERNAL, http: 415, says: /a gRPC call has application\/grpc/ };
  return { part: "headers", detail: 20, name, verdict, frames: withFields(fields) };
}

function illegalList(name: string, list: Fields, detail?: number): MalformedRequest {
  const numbered = detail === undefined ? {} : { detail };
  return { part: "headers", ...numbered, name, verdict: MALFORMED, frames: withList(list) };
}

const HEADERS: readonly MalformedRequest[] = [
  contentType("no content-type", [["te", "trailers"]]),
  contentType("the content-type application/json", [["content-type", "application/json"]]),
  contentType("the content-type application/grpcfoo", [["content-type", "application/grpcfoo"]]),
  contentType("the content-type application/grpc-web", [["content-type", "application/grpc-web+proto"]]),
  contentType("the content-type application/grpc, and again application/json", [
    ...GRPC_FIELDS,
    ["content-type", "application/json"],
  ]),
  contentType("the content-type application/json, and again application/grpc", [
    ["content-type", "application/json"],
    ...GRPC_FIELDS,
  ]),
  {
    part: "headers",
    detail: 21,
    name: "a te that is not trailers",
    verdict: MALFORMED,
    frames: withFields([
      ["te", "gzip"],
      ["content-type", "application/grpc"],
    ]),
  },
  illegalList("two :authority", [...PSEUDO, [":authority", "other"], ...GRPC_FIELDS], 23),
  illegalList("a host that is not :authority", [...PSEUDO, ...GRPC_FIELDS, ["host", "other"]], 23),
  illegalList("a connection header", [...PSEUDO, ...GRPC_FIELDS, ["connection", "close"]], 23),
  illegalList("two :path", [...PSEUDO, [":path", UNARY], ...GRPC_FIELDS]),
  illegalList("two :method", [...PSEUDO, [":method", "POST"], ...GRPC_FIELDS]),
  illegalList("no :path", [...PSEUDO.filter(([name]) => name !== ":path"), ...GRPC_FIELDS]),
  illegalList("no :method", [...PSEUDO.filter(([name]) => name !== ":method"), ...GRPC_FIELDS]),
  illegalList("no :scheme", [...PSEUDO.filter(([name]) => name !== ":scheme"), ...GRPC_FIELDS]),
  illegalList("an unknown pseudo-header", [...PSEUDO, [":status", "200"], ...GRPC_FIELDS]),
  illegalList("a pseudo-header behind a field", [...GRPC_FIELDS, ...PSEUDO]),
  illegalList("a name in upper case", [...PSEUDO, ...GRPC_FIELDS, ["X-Upper", "a"]]),
  illegalList("an empty name", [...PSEUDO, ...GRPC_FIELDS, ["", "a"]]),
  illegalList("a line break in a value", [...PSEUDO, ...GRPC_FIELDS, ["x-a", "a\r\nb"]]),
  illegalList("a NUL in a value", [...PSEUDO, ...GRPC_FIELDS, ["x-a", "a\0b"]]),
  illegalList("a content-length that the body does not have", [...PSEUDO, ...GRPC_FIELDS, ["content-length", "99"]]),
];

const METADATA: readonly MalformedRequest[] = ["*", "YQ=A", "YWJjZ", "a b"].map((value) => ({
  part: "metadata",
  detail: 17,
  name: `binary metadata that reads ${JSON.stringify(value)}`,
  verdict: { code: INTERNAL, http: 200, says: /the value of metadata key "x-bin"/ },
  frames: withField("x-bin", value),
}));

const TIMEOUTS: readonly MalformedRequest[] = [
  ...["10", "S", "", "123456789S", "-1S", "+1S", "1.5S", "1 S", "1s", "10Sm"].map(
    (value): MalformedRequest => ({
      part: "timeout",
      detail: 6,
      name: `the timeout ${JSON.stringify(value)}`,
      verdict: { code: INTERNAL, http: 400, says: /grpc-timeout is/ },
      frames: withField("grpc-timeout", value),
    }),
  ),
  {
    part: "timeout",
    detail: 6,
    name: 'the timeout "0S", which has passed when it arrives',
    verdict: { code: DEADLINE_EXCEEDED, http: 200, says: /deadline/ },
    frames: withField("grpc-timeout", "0S"),
  },
  {
    part: "timeout",
    detail: 6,
    name: 'the timeout "1S", and again "1H"',
    verdict: { code: INTERNAL, http: 400, says: /grpc-timeout is "1S, 1H"/ },
    frames: withFields([...GRPC_FIELDS, ["grpc-timeout", "1S"], ["grpc-timeout", "1H"]]),
  },
];

const COMPRESSION: readonly MalformedRequest[] = [
  {
    part: "compression",
    detail: 13,
    name: "an encoding that is not known",
    verdict: { code: UNIMPLEMENTED, http: 200, says: /"br"/ },
    frames: withField("grpc-encoding", "br"),
  },
  {
    part: "compression",
    detail: 13,
    name: "the encoding gzip, and again identity",
    verdict: { code: UNIMPLEMENTED, http: 200, says: /"gzip, identity"/ },
    frames: withFields([...GRPC_FIELDS, ["grpc-encoding", "gzip"], ["grpc-encoding", "identity"]]),
  },
  {
    part: "compression",
    detail: 12,
    name: "a message flagged as compressed in a call without an encoding",
    verdict: { code: INTERNAL, says: /compressed/ },
    ...withBody("Unary", prefixed(Buffer.alloc(0), 1)),
  },
  {
    part: "compression",
    detail: 12,
    name: "a message flagged as compressed in a call of encoding identity",
    verdict: { code: INTERNAL, says: /compressed/ },
    ...withBody("Unary", prefixed(Buffer.alloc(0), 1), [["grpc-encoding", "identity"]]),
  },
  ...[2, 7, 255].map(
    (flag): MalformedRequest => ({
      part: "compression",
      detail: 12,
      name: `the flag ${flag}`,
      verdict: { code: INTERNAL, says: /illegal flag/ },
      ...withBody("Unary", prefixed(Buffer.alloc(0), flag)),
    }),
  ),
];

function badMessage(
  detail: number,
  name: string,
  code: StatusCode,
  says: RegExp,
  method: string,
  body: Buffer,
): MalformedRequest {
  return { part: "messages", detail, name, verdict: { code, says }, ...withBody(method, body) };
}

const TWO: Buffer = Buffer.concat([EMPTY, EMPTY]);
const UNDECODABLE: Buffer = prefixed(Buffer.of(0xff, 0xff));
const INSIDE = /ended inside a message/;
const NO_MESSAGE = /the request has no message/;

const MESSAGES: readonly MalformedRequest[] = [
  badMessage(11, "no message for a unary call", UNIMPLEMENTED, NO_MESSAGE, "Unary", Buffer.alloc(0)),
  badMessage(11, "no message for a server stream", UNIMPLEMENTED, NO_MESSAGE, "Download", Buffer.alloc(0)),
  badMessage(11, "two messages for a unary call", UNIMPLEMENTED, /more than one message/, "Unary", TWO),
  badMessage(11, "two messages for a server stream", UNIMPLEMENTED, /more than one message/, "Download", TWO),
  badMessage(
    16,
    "a message larger than allowed",
    RESOURCE_EXHAUSTED,
    /1001 bytes is larger than the 1000 bytes/,
    "Unary",
    prefixed(Buffer.alloc(0), 0, MAX_MESSAGE_BYTES + 1),
  ),
  badMessage(
    16,
    "a message that says it has 4 GiB",
    RESOURCE_EXHAUSTED,
    /4294967295 bytes is larger/,
    "Chat",
    prefixed(Buffer.alloc(0), 0, 0xffff_ffff),
  ),
  badMessage(25, "a message that ends too soon", INTERNAL, INSIDE, "Unary", prefixed(Buffer.alloc(3), 0, 10)),
  badMessage(25, "a prefix that ends too soon", INTERNAL, INSIDE, "Unary", EMPTY.subarray(0, 3)),
  badMessage(25, "a stream that ends inside a message", INTERNAL, INSIDE, "Upload", prefixed(Buffer.alloc(3), 0, 10)),
  badMessage(25, "octets that are no message", INTERNAL, /cannot be decoded/, "Unary", UNDECODABLE),
  badMessage(25, "a stream with octets that are no message", INTERNAL, /cannot be decoded/, "Upload", UNDECODABLE),
];

export const MALFORMED_REQUESTS: readonly MalformedRequest[] = [
  ...PATHS,
  ...HEADERS,
  ...METADATA,
  ...TIMEOUTS,
  ...COMPRESSION,
  ...MESSAGES,
];
