/**
 * A server that misbehaves as gRPC's negative HTTP/2 cases want it (doc/http2-interop-test-descriptions.md of gRPC), written
 * on raw frames, so that nothing of our own HTTP/2 stands in the way. Owns one script for each case and what it saw of the
 * client. It answers every request as a large unary call.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { FrameFlag, FrameType } from "../../packages/volant/src/http2/frame-type.ts";
import { FrameTrace, frames, type SentFrame } from "../../packages/volant/src/testing/frame-factory.ts";
import { SimpleResponseSchema } from "../gen/grpc/testing/messages_pb.ts";

const RESPONSE_BYTES = 314_159;
const MAX_FRAME_BYTES = 16_384;
const NO_ERROR = 0;
/** Settings of RFC 9113 §6.5.2. */
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const DEFAULT_WINDOW_BYTES = 65_535;
/** Requests are never held up: flow control of what the client sends is not what these cases are about. */
const WIDE_WINDOW_BYTES = 2 ** 24;
const WIDE_CONNECTION_BYTES = 2 ** 30;

export const NEGATIVE_CASES = [
  "goaway",
  "rst_after_header",
  "rst_during_data",
  "rst_after_data",
  "ping",
  "max_streams",
] as const;
export type NegativeCase = (typeof NEGATIVE_CASES)[number];

/** What the server saw. */
export interface NegativeReport {
  connections: number;
  requests: number;
  /** Streams open at the same time on one connection, at most. */
  peakStreams: number;
  pingsSent: number;
  pingsAcknowledged: number;
}

export class NegativeServer {
  readonly report: NegativeReport = { connections: 0, requests: 0, peakStreams: 0, pingsSent: 0, pingsAcknowledged: 0 };
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(name: NegativeCase) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
      new ScriptedConnection(socket, name, this.report);
    });
  }

  static async listen(name: NegativeCase): Promise<NegativeServer> {
    const negative = new NegativeServer(name);
    negative.server.listen(0, "127.0.0.1");
    await once(negative.server, "listening");
    return negative;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}

/** What is still to be sent on a stream: whole frames, or octets that go as DATA when the windows allow. */
type Step = { readonly frame: Buffer; readonly isLast?: boolean } | { octets: Buffer };

interface ScriptedStream {
  readonly id: number;
  windowBytes: number;
  readonly steps: Step[];
}

class ScriptedConnection {
  private readonly socket: Socket;
  private readonly name: NegativeCase;
  private readonly report: NegativeReport;
  private readonly trace = new FrameTrace();
  private readonly streams = new Map<number, ScriptedStream>();
  private readonly isFirst: boolean;
  private windowBytes = DEFAULT_WINDOW_BYTES;
  private initialWindowBytes = DEFAULT_WINDOW_BYTES;

  constructor(socket: Socket, name: NegativeCase, report: NegativeReport) {
    this.socket = socket;
    this.name = name;
    this.report = report;
    this.isFirst = ++report.connections === 1;
    const limit = name === "max_streams" ? ([[MAX_CONCURRENT_STREAMS, 1]] as const) : [];
    socket.write(frames.settings([INITIAL_WINDOW_SIZE, WIDE_WINDOW_BYTES], ...limit).bytes());
    socket.write(frames.windowUpdate(0, WIDE_CONNECTION_BYTES).bytes());
    socket.on("data", (chunk: Buffer) => {
      for (const frame of this.trace.read(chunk)) this.receive(frame);
    });
    // A client that is done with the connection may close it at any time, also under what is being written.
    socket.on("error", () => socket.destroy());
  }

  private receive({ type, flags, streamId, payload }: SentFrame): void {
    if (type === FrameType.SETTINGS && (flags & FrameFlag.ACK) === 0) this.receiveSettings(payload);
    else if (type === FrameType.WINDOW_UPDATE) this.receiveCredit(streamId, payload.readUInt32BE());
    else if (type === FrameType.PING) this.receivePing(flags, payload);
    else if (type === FrameType.RST_STREAM) this.streams.delete(streamId);
    else if (type === FrameType.HEADERS) this.open(streamId);
    const isRequestOver = (flags & FrameFlag.END_STREAM) !== 0;
    if (isRequestOver && (type === FrameType.DATA || type === FrameType.HEADERS)) this.answer(streamId);
  }

  private receiveSettings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      const change = payload.readUInt32BE(at + 2) - this.initialWindowBytes;
      this.initialWindowBytes += change;
      for (const stream of this.streams.values()) stream.windowBytes += change;
    }
    this.socket.write(frames.settingsAck().bytes());
    this.pump();
  }

  private receiveCredit(streamId: number, increment: number): void {
    const stream = this.streams.get(streamId);
    if (streamId === 0) this.windowBytes += increment;
    else if (stream !== undefined) stream.windowBytes += increment;
    this.pump();
  }

  private receivePing(flags: number, payload: Buffer): void {
    if ((flags & FrameFlag.ACK) !== 0) this.report.pingsAcknowledged++;
    else this.socket.write(frames.ping(payload).flag(FrameFlag.ACK).bytes());
  }

  private open(id: number): void {
    this.streams.set(id, { id, windowBytes: this.initialWindowBytes, steps: [] });
    this.report.requests++;
    this.report.peakStreams = Math.max(this.report.peakStreams, this.streams.size);
  }

  private answer(id: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.steps.push(...this.stepsFor(id));
    this.pump();
  }

  private stepsFor(id: number): Step[] {
    const headers = {
      frame: frames
        .headers(id)
        .response(200, [["content-type", "application/grpc"]])
        .bytes(),
    };
    const trailers = {
      frame: frames
        .headers(id)
        .fields([["grpc-status", "0"]])
        .endStream()
        .bytes(),
      isLast: true,
    };
    const reset = { frame: frames.rstStream(id, NO_ERROR).bytes(), isLast: true };
    const octets = responseOctets();
    switch (this.name) {
      case "rst_after_header":
        return [headers, reset];
      case "rst_during_data":
        return [headers, { octets: octets.subarray(0, octets.length / 2) }, reset];
      case "rst_after_data":
        return [headers, { octets }, reset];
      case "goaway":
        if (this.isFirst) return [headers, { octets }, trailers, { frame: frames.goAway(id, NO_ERROR).bytes() }];
        return [headers, { octets }, trailers];
      case "ping":
      case "max_streams":
        return [headers, { octets }, trailers];
    }
  }

  /** Sends what the windows allow. */
  private pump(): void {
    for (const stream of this.streams.values()) {
      while (stream.steps.length > 0 && this.sendStep(stream, stream.steps[0]!)) stream.steps.shift();
    }
  }

  /** Whether the step is done. */
  private sendStep(stream: ScriptedStream, step: Step): boolean {
    if ("frame" in step) {
      this.send(step.frame);
      if (step.isLast === true) this.streams.delete(stream.id);
      return true;
    }
    while (step.octets.length > 0) {
      const length = Math.min(step.octets.length, MAX_FRAME_BYTES, stream.windowBytes, this.windowBytes);
      if (length <= 0) return false;
      this.send(frames.data(stream.id, step.octets.subarray(0, length)).bytes());
      step.octets = step.octets.subarray(length);
      stream.windowBytes -= length;
      this.windowBytes -= length;
    }
    return true;
  }

  private send(frame: Buffer): void {
    if (this.name === "ping") this.ping();
    this.socket.write(frame);
    if (this.name === "ping") this.ping();
  }

  private ping(): void {
    const opaque = Buffer.alloc(8);
    opaque.writeUInt32BE(++this.report.pingsSent, 4);
    this.socket.write(frames.ping(opaque).bytes());
  }
}

function responseOctets(): Buffer {
  const message = toBinary(
    SimpleResponseSchema,
    create(SimpleResponseSchema, { payload: { body: new Uint8Array(RESPONSE_BYTES) } }),
  );
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
