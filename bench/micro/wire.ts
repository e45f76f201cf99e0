// Owns: the octets that the http2-micro cases feed to the core, as a gRPC client sends them, and the sink that answers.
// Invariant: a fresh block differs from every other in what differs between calls of one client (timeout, trace, request id).

import { Http2Connection, type Http2Sink, type Http2Stream, resolveHttp2Options } from "volant/http2";
import { HpackEncoder, Indexing, type OutboundField } from "../../packages/volant/src/http2/hpack/index.ts";
import { frames } from "../../packages/volant/src/testing/frame-factory.ts";

const TABLE_BYTES = 4_096;
const OFF = Number.POSITIVE_INFINITY;
/** `:status: 200` from the static table. RFC 7541 appendix A. */
const RESPONSE_BLOCK = Buffer.of(0x88);

const REPEATED: readonly OutboundField[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/user.UserService/GetUser"],
  [":authority", "users.default.svc:50051"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
  ["user-agent", "grpc-node-js/1.14.7"],
  ["grpc-accept-encoding", "identity,deflate,gzip"],
].map(([name, value]) => ({ name: name!, value: value!, indexing: Indexing.INCREMENTAL }));

/** A block that fills the peer's table, then blocks that use it. */
export interface Blocks {
  readonly first: Buffer;
  readonly later: readonly Buffer[];
}

export function createBlocks(kind: "repeated" | "fresh", count: number): Blocks {
  const encoder = new HpackEncoder(TABLE_BYTES);
  const first = encode(encoder, REPEATED);
  const later = Array.from({ length: count }, (_, index) =>
    encode(encoder, kind === "repeated" ? REPEATED : [...REPEATED, ...createVaryingFields(index)]),
  );
  return { first, later };
}

function createVaryingFields(index: number): OutboundField[] {
  const hex = (Math.imul(index + 1, 0x9e37_79b1) >>> 0).toString(16).padStart(8, "0");
  return [
    { name: "grpc-timeout", value: `${9_000_000 - index * 37}u`, indexing: Indexing.WITHOUT },
    { name: "traceparent", value: `00-${hex.repeat(4)}-${hex.repeat(2)}-01`, indexing: Indexing.WITHOUT },
    { name: "x-request-id", value: `${hex}-${hex.slice(4)}-4${hex.slice(5)}`, indexing: Indexing.WITHOUT },
  ];
}

function encode(encoder: HpackEncoder, fields: readonly OutboundField[]): Buffer {
  const target = Buffer.alloc(encoder.sizeBound(fields));
  return target.subarray(0, encoder.encode(fields, target, 0));
}

/** Answers a call that has ended with HEADERS, and consumes DATA at once: the least that closes streams and opens windows. */
export class AnsweringSink implements Http2Sink {
  connection: Http2Connection | undefined;
  calls = 0;
  octets = 0;

  onHeaders(stream: Http2Stream, _fields: unknown, endStream: boolean): void {
    this.calls++;
    if (endStream) this.connection!.sendHeaders(stream, RESPONSE_BLOCK, true);
  }
  onData(stream: Http2Stream, _bytes: Buffer, start: number, end: number): void {
    this.octets += end - start;
    this.connection!.consume(stream, end - start);
  }
  onTrailers(): void {}
  onReset(): void {}
  onWritable(): void {}
  onSettings(): void {}
  onGoAway(): void {}
  onPingAck(): void {}
  onClosed(): void {}
  onOutput(): void {}
}

/** A server's core past its handshake, whose budgets no honest measurement should spend. */
export function createReadyServer(): { connection: Http2Connection; sink: AnsweringSink } {
  const sink = new AnsweringSink();
  const options = resolveHttp2Options({ windowUpdateBurst: OFF, glitchBurst: OFF, resetBurst: OFF });
  const connection = new Http2Connection("server", options, sink);
  sink.connection = connection;
  connection.start(0);
  const opening = [frames.preface, frames.settings().bytes(), frames.settingsAck().bytes()];
  connection.receive(Buffer.concat(opening), 0);
  return { connection, sink };
}
