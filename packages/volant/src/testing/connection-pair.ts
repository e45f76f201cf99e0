/**
 * HTTP/2 cores under test, without sockets and on virtual time: one core with a scripted peer, or a client and a server
 * joined. Owns the driver contract of `http2/connection.ts` for tests; knows nothing of gRPC.
 */
import { Http2Connection } from "../http2/connection.ts";
import { type ErrorCode, errorCodeName } from "../http2/error-code.ts";
import type { Fault, Initiator } from "../http2/fault.ts";
import type { GoAway } from "../http2/frames/goaway.ts";
import type { HeaderField } from "../http2/hpack/index.ts";
import { type Http2Options, type Role, resolveHttp2Options } from "../http2/options.ts";
import type { Http2Sink } from "../http2/sink.ts";
import type { Http2Stream } from "../http2/stream.ts";
import { FakeClock } from "./fake-clock.ts";
import { FrameTrace, frames } from "./frame-factory.ts";

/** Writes down every call as one line, then hands it to `react`. */
export class RecordingSink implements Http2Sink {
  /** What a test does in answer. Replaced or extended at any time. */
  react: Partial<Http2Sink>;
  readonly streams = new Map<number, Http2Stream>();
  private lines: string[] = [];

  constructor(react: Partial<Http2Sink> = {}) {
    this.react = react;
  }

  /** The lines since the last call. */
  take(): string[] {
    const taken = this.lines;
    this.lines = [];
    return taken;
  }

  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void {
    this.streams.set(stream.id, stream);
    this.lines.push(`headers ${stream.id}${endStream ? " end" : ""}${fieldText(fields)}`);
    this.react.onHeaders?.(stream, fields, endStream);
  }

  onTrailers(stream: Http2Stream, fields: HeaderField[]): void {
    this.lines.push(`trailers ${stream.id}${fieldText(fields)}`);
    this.react.onTrailers?.(stream, fields);
  }

  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const shown = end - start <= 16 ? JSON.stringify(bytes.toString("latin1", start, end)) : `[${end - start}]`;
    this.lines.push(`data ${stream.id} ${shown}${endStream ? " end" : ""}`);
    this.react.onData?.(stream, bytes, start, end, endStream);
  }

  onReset(stream: Http2Stream, code: ErrorCode, initiator: Initiator): void {
    this.lines.push(`reset ${stream.id} ${errorCodeName(code)} ${initiator}`);
    this.react.onReset?.(stream, code, initiator);
  }

  onWritable(stream: Http2Stream): void {
    this.lines.push(`writable ${stream.id}`);
    this.react.onWritable?.(stream);
  }

  onSettings(): void {
    this.lines.push("settings");
    this.react.onSettings?.();
  }

  onGoAway(goAway: GoAway): void {
    this.lines.push(
      `goaway last=${goAway.lastStreamId} ${errorCodeName(goAway.code)} ${JSON.stringify(goAway.debugData)}`,
    );
    this.react.onGoAway?.(goAway);
  }

  onPingAck(opaque: number): void {
    this.lines.push(`ping-ack ${opaque}`);
    this.react.onPingAck?.(opaque);
  }

  onClosed(fault: Fault): void {
    this.lines.push(`closed ${errorCodeName(fault.code)} ${fault.cause} ${fault.initiator}`);
    this.react.onClosed?.(fault);
  }

  onOutput(urgent: boolean): void {
    this.react.onOutput?.(urgent);
  }
}

function fieldText(fields: readonly HeaderField[]): string {
  return fields.map((field) => ` ${field.name}=${field.value}`).join("");
}

/** One core; the test plays its peer with octets. */
export class CoreUnderTest {
  readonly clock = new FakeClock(1_000);
  readonly sink = new RecordingSink();
  readonly http2: Http2Connection;
  readonly role: Role;
  private readonly trace = new FrameTrace();

  constructor(role: Role, options: Http2Options = {}) {
    this.role = role;
    this.http2 = new Http2Connection(role, resolveHttp2Options(options), this.sink);
    this.http2.start(this.clock.nowMs);
  }

  /** A core whose handshake is over, with nothing left to take. `settings` are the peer's. */
  static ready(
    role: Role,
    options: Http2Options = {},
    ...settings: readonly (readonly [number, number])[]
  ): CoreUnderTest {
    const core = new CoreUnderTest(role, options);
    if (role === "server") core.receive(frames.preface);
    core.receive(frames.settings(...settings), frames.settingsAck());
    core.sent();
    core.events();
    return core;
  }

  /** All of it as one chunk. */
  receive(...parts: readonly (Buffer | { bytes(): Buffer })[]): this {
    const octets = Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes())));
    this.http2.receive(octets, this.clock.nowMs);
    return this;
  }

  /** Takes the output as lines of text, and lets the core move queued data up. */
  sent(): string[] {
    const lines: string[] = [];
    for (let octets = this.sentBytes(); octets.length > 0; octets = this.sentBytes()) {
      lines.push(...this.trace.read(octets).map((frame) => frame.text));
    }
    return lines;
  }

  /** Takes the output that waits now, once. */
  sentBytes(): Buffer {
    const taken = this.http2.takeOutput();
    const octets = taken === undefined ? Buffer.alloc(0) : Buffer.from(taken.bytes);
    this.http2.handleRoom();
    return octets;
  }

  events(): string[] {
    return this.sink.take();
  }

  stream(id: number): Http2Stream {
    const stream = this.sink.streams.get(id);
    if (stream === undefined) throw new Error(`the ${this.role} has seen no headers on stream ${id}`);
    return stream;
  }

  /** Moves time; the core's own deadlines fire on the way. */
  advance(byMs: number): this {
    const until = this.clock.nowMs + byMs;
    for (let dueMs = this.http2.nextTimeout(); dueMs <= until; dueMs = this.http2.nextTimeout()) {
      this.clock.advance(Math.max(0, dueMs - this.clock.nowMs));
      this.http2.handleTimeout(this.clock.nowMs);
      if (this.http2.nextTimeout() === dueMs) throw new Error(`the deadline at ${dueMs} ms fires without end`);
    }
    this.clock.advance(until - this.clock.nowMs);
    return this;
  }
}

export interface PairOptions {
  readonly client?: Http2Options;
  readonly server?: Http2Options;
  /** One way. Default 1 ms. */
  readonly latencyMs?: number;
  /** The length of the next chunk on the wire. Default: everything there is. */
  readonly chunkBytes?: () => number;
}

/** One end of a pair. */
export class PairSide {
  readonly http2: Http2Connection;
  readonly sink = new RecordingSink();
  /** Everything this side has sent, in order. */
  readonly sentFrames: string[] = [];
  private readonly trace = new FrameTrace();

  constructor(role: Role, options: Http2Options) {
    this.http2 = new Http2Connection(role, resolveHttp2Options(options), this.sink);
  }

  /** What waits to be sent, once; undefined where there is nothing. */
  take(): Buffer | undefined {
    const taken = this.http2.takeOutput();
    if (taken === undefined) return undefined;
    const octets = Buffer.from(taken.bytes);
    this.sentFrames.push(...this.trace.read(octets).map((frame) => frame.text));
    this.http2.handleRoom();
    return octets;
  }
}

/** A client and a server on one virtual wire. */
export class ConnectionPair {
  readonly clock = new FakeClock();
  readonly client: PairSide;
  readonly server: PairSide;
  private readonly latencyMs: number;
  private readonly chunkBytes: () => number;

  constructor(options: PairOptions = {}) {
    this.client = new PairSide("client", options.client ?? {});
    this.server = new PairSide("server", options.server ?? {});
    this.latencyMs = options.latencyMs ?? 1;
    this.chunkBytes = options.chunkBytes ?? (() => Number.POSITIVE_INFINITY);
    this.client.http2.start(0);
    this.server.http2.start(0);
  }

  /** A pair whose settings are exchanged. */
  static ready(options: PairOptions = {}): ConnectionPair {
    const pair = new ConnectionPair(options);
    pair.drive();
    for (const side of [pair.client, pair.server]) {
      side.sink.take();
      side.sentFrames.length = 0;
    }
    return pair;
  }

  /** Puts what waits on the wire, then lets the next chunk arrive. False where the wire is empty. */
  step(): boolean {
    this.flush(this.client, this.server);
    this.flush(this.server, this.client);
    return this.clock.runNext();
  }

  /** Steps until nothing moves any more. Fails where that does not happen. */
  drive(maxSteps: number = 1_000_000): void {
    for (let steps = 0; this.step(); steps++) {
      if (steps === maxSteps) throw new Error(`the pair is still busy after ${maxSteps} steps: livelock`);
    }
  }

  /** Moves time by that much; what is on the wire arrives and deadlines fire. */
  advance(byMs: number): void {
    const until = this.clock.nowMs + byMs;
    for (;;) {
      this.drive();
      const dueMs = Math.min(this.client.http2.nextTimeout(), this.server.http2.nextTimeout());
      if (dueMs > until) break;
      this.clock.advance(Math.max(0, dueMs - this.clock.nowMs));
      for (const { http2 } of [this.client, this.server]) {
        if (http2.nextTimeout() <= this.clock.nowMs) http2.handleTimeout(this.clock.nowMs);
      }
    }
    this.clock.advance(Math.max(0, until - this.clock.nowMs));
  }

  private flush(from: PairSide, to: PairSide): void {
    for (let octets = from.take(); octets !== undefined; octets = from.take()) {
      for (let at = 0; at < octets.length; ) {
        const chunk = octets.subarray(at, at + Math.max(1, this.chunkBytes()));
        at += chunk.length;
        this.clock.schedule(this.clock.nowMs + this.latencyMs, () => to.http2.receive(chunk, this.clock.nowMs));
      }
    }
  }
}
