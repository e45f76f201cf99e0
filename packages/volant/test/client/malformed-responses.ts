/**
 * Every way in which a response can be wrong, and the status that its call ends with. Owns the list; the tests and
 * `docs/malformed-responses.md` are made from it.
 *
 * Sources: gRPC PROTOCOL-HTTP2 "Responses", "Errors"; http-grpc-status-mapping; compression.md; RFC 9113 §8.1 to §8.3.
 */
import { StatusCode } from "volant";
import { type Fields, type FrameBuilder, frames } from "../../src/testing/frame-factory.ts";
import { ErrorCode, errorCodeName } from "../../src/transport/http2.ts";
import { messageBytes } from "./support/echo-service.ts";

export interface MalformedResponse {
  readonly part: "HTTP" | "headers and trailers" | "status" | "messages" | "resets";
  readonly name: string;
  /** Of the forty details; none where RFC 9113 alone has the rule. */
  readonly detail?: number;
  readonly code: StatusCode;
  readonly frames: (streamId: number) => readonly FrameBuilder[];
}

export const MAX_RESPONSE_BYTES = 1_000;
const GRPC: Fields = [["content-type", "application/grpc"]];
const PONG: Buffer = messageBytes("pong");
const { INTERNAL, UNKNOWN, UNIMPLEMENTED, RESOURCE_EXHAUSTED, UNAVAILABLE } = StatusCode;

const headers = (id: number, more: Fields = []): FrameBuilder => frames.headers(id).response(200, [...GRPC, ...more]);
const trailers = (id: number, fields: Fields): FrameBuilder => frames.headers(id).fields(fields).endStream();
const ok = (id: number): FrameBuilder => trailers(id, [["grpc-status", "0"]]);

function http(status: number, code: StatusCode): MalformedResponse {
  return {
    part: "HTTP",
    detail: 4,
    name: `HTTP ${status} that is no gRPC`,
    code,
    frames: (id) => [
      frames.headers(id).response(status, [["content-type", "text/html"]]),
      frames.data(id, "no").endStream(),
    ],
  };
}

const HTTP: readonly MalformedResponse[] = [
  http(400, INTERNAL),
  http(401, StatusCode.UNAUTHENTICATED),
  http(403, StatusCode.PERMISSION_DENIED),
  http(404, UNIMPLEMENTED),
  ...[429, 502, 503, 504].map((status) => http(status, UNAVAILABLE)),
  ...[200, 204, 302, 431, 500].map((status) => http(status, UNKNOWN)),
  {
    part: "HTTP",
    detail: 5,
    name: "an interim response that ends the stream",
    code: INTERNAL,
    frames: (id) => [frames.headers(id).response(103).endStream()],
  },
];

function inTrailers(detail: number, name: string, code: StatusCode, fields: Fields): MalformedResponse {
  return {
    part: "status",
    detail,
    name,
    code,
    frames: (id) => [headers(id), frames.data(id, PONG), trailers(id, fields)],
  };
}

const STATUS: readonly MalformedResponse[] = [
  inTrailers(2, "trailers without grpc-status", UNKNOWN, [["x-y", "z"]]),
  ...["17", "999", "-1", "x", "", "0x5", "1e0"].map((value) =>
    inTrailers(2, `the status ${JSON.stringify(value)}`, UNKNOWN, [["grpc-status", value]]),
  ),
  ...["00", "0, 13", "13, 0", "0,0", "0;", "+0"].map((value) =>
    inTrailers(2, `the status ${JSON.stringify(value)}`, UNKNOWN, [["grpc-status", value]]),
  ),
  ...[
    ["0", "13"],
    ["13", "0"],
    ["5", "0"],
    ["0", ""],
  ].map(([first, second]) =>
    inTrailers(2, `the status ${JSON.stringify(first)} and again ${JSON.stringify(second)}`, UNKNOWN, [
      ["grpc-status", first!],
      ["grpc-status", second!],
    ]),
  ),
  inTrailers(2, `the status "13" twice`, INTERNAL, [
    ["grpc-status", "13"],
    ["grpc-status", "13"],
  ]),
  {
    part: "status",
    detail: 2,
    name: "an answer of one block with two statuses",
    code: UNKNOWN,
    frames: (id) => [
      headers(id, [
        ["grpc-status", "0"],
        ["grpc-status", "13"],
      ]).endStream(),
    ],
  },
  {
    part: "status",
    detail: 9,
    name: "grpc-status 0 in headers, and 13 in trailers",
    code: INTERNAL,
    frames: (id) => [headers(id, [["grpc-status", "0"]]), frames.data(id, PONG), trailers(id, [["grpc-status", "13"]])],
  },
  {
    part: "status",
    detail: 9,
    name: "grpc-status in headers only",
    code: UNKNOWN,
    frames: (id) => [headers(id, [["grpc-status", "0"]]), frames.data(id, PONG).endStream()],
  },
  {
    part: "status",
    detail: 9,
    name: "an answer of one block without grpc-status",
    code: UNKNOWN,
    frames: (id) => [headers(id).endStream()],
  },
];

function badFields(name: string, list: (id: number) => readonly FrameBuilder[]): MalformedResponse {
  return { part: "headers and trailers", name, code: INTERNAL, frames: list };
}

const FIELDS: readonly MalformedResponse[] = [
  {
    part: "headers and trailers",
    detail: 17,
    name: "binary trailers that are no base64",
    code: INTERNAL,
    frames: (id) => [
      headers(id),
      frames.data(id, PONG),
      trailers(id, [
        ["grpc-status", "0"],
        ["x-bin", "*"],
      ]),
    ],
  },
  {
    part: "headers and trailers",
    detail: 4,
    name: "two content-types, one of them gRPC's",
    code: UNKNOWN,
    frames: (id) => [
      frames.headers(id).response(200, [...GRPC, ["content-type", "text/html"]]),
      frames.data(id, PONG),
      ok(id),
    ],
  },
  badFields("no :status", (id) => [frames.headers(id).fields(GRPC).endStream()]),
  badFields("a :status that is no number", (id) => [frames.headers(id).response("2x0", GRPC).endStream()]),
  badFields("a name in upper case", (id) => [headers(id, [["X-Upper", "a"]]).endStream()]),
  badFields("a connection header", (id) => [headers(id, [["connection", "close"]]).endStream()]),
  badFields("a pseudo-header in trailers", (id) => [headers(id), trailers(id, [[":status", "200"]])]),
  badFields("trailers that do not end the stream", (id) => [
    headers(id),
    frames.headers(id).fields([["grpc-status", "0"]]),
  ]),
  badFields("data before headers", (id) => [frames.data(id, PONG)]),
];

function badMessage(
  detail: number,
  name: string,
  code: StatusCode,
  body: Buffer,
  more: Fields = [],
): MalformedResponse {
  return { part: "messages", detail, name, code, frames: (id) => [headers(id, more), frames.data(id, body), ok(id)] };
}

function prefixed(body: Buffer, flag = 0, length: number = body.length): Buffer {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

const MESSAGES: readonly MalformedResponse[] = [
  { part: "messages", detail: 11, name: "no message", code: UNIMPLEMENTED, frames: (id) => [headers(id), ok(id)] },
  badMessage(11, "two messages", UNIMPLEMENTED, Buffer.concat([PONG, PONG])),
  badMessage(12, "the flag 7", INTERNAL, prefixed(Buffer.alloc(0), 7)),
  badMessage(12, "a message flagged as compressed without an encoding", INTERNAL, prefixed(Buffer.alloc(3), 1)),
  badMessage(13, "a message in an encoding that nobody knows", INTERNAL, prefixed(Buffer.alloc(3), 1), [
    ["grpc-encoding", "br"],
  ]),
  badMessage(14, "a compressed message that cannot be inflated", INTERNAL, prefixed(Buffer.from("no gzip"), 1), [
    ["grpc-encoding", "gzip"],
  ]),
  badMessage(
    16,
    "a message larger than allowed",
    RESOURCE_EXHAUSTED,
    prefixed(Buffer.alloc(0), 0, MAX_RESPONSE_BYTES + 1),
  ),
  badMessage(25, "a message that ends too soon", INTERNAL, prefixed(Buffer.alloc(3), 0, 10)),
  badMessage(25, "octets that are no message", INTERNAL, prefixed(Buffer.of(0xff, 0xff))),
];

const OF_RESET: readonly (readonly [ErrorCode, StatusCode])[] = [
  [ErrorCode.NO_ERROR, INTERNAL],
  [ErrorCode.PROTOCOL_ERROR, INTERNAL],
  [ErrorCode.INTERNAL_ERROR, INTERNAL],
  [ErrorCode.FLOW_CONTROL_ERROR, INTERNAL],
  [ErrorCode.SETTINGS_TIMEOUT, INTERNAL],
  [ErrorCode.FRAME_SIZE_ERROR, INTERNAL],
  [ErrorCode.COMPRESSION_ERROR, INTERNAL],
  [ErrorCode.CONNECT_ERROR, INTERNAL],
  [ErrorCode.REFUSED_STREAM, UNAVAILABLE],
  [ErrorCode.CANCEL, StatusCode.CANCELLED],
  [ErrorCode.ENHANCE_YOUR_CALM, RESOURCE_EXHAUSTED],
  [ErrorCode.INADEQUATE_SECURITY, StatusCode.PERMISSION_DENIED],
];

const RESETS: readonly MalformedResponse[] = OF_RESET.map(([code, status]) => ({
  part: "resets",
  detail: 24,
  name: `RST_STREAM ${errorCodeName(code)} behind headers`,
  code: status,
  frames: (id) => [headers(id), frames.rstStream(id, code)],
}));

export const MALFORMED_RESPONSES: readonly MalformedResponse[] = [
  ...HTTP,
  ...FIELDS,
  ...STATUS,
  ...MESSAGES,
  ...RESETS,
];
