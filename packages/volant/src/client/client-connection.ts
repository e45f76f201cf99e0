/**
 * One connection of a client: streams out, their events back to the calls. Owns readiness (the server's SETTINGS arrived),
 * the end of new calls after GOAWAY, and whether the connection keeps the process alive.
 */

import { limitsOfPeer, type PeerLimits } from "../stream/inbound-limits.ts";
import { breakReason, TLS_BROKEN } from "../transport/broken-wire.ts";
import { Driver } from "../transport/driver.ts";
import {
  ErrorCode,
  errorCodeName,
  type Fault,
  type GoAway,
  type HeaderField,
  Http2Connection,
  type Http2Sink,
  type Http2Stream,
  type Initiator,
} from "../transport/http2.ts";
import { Keepalive, type KeepaliveOptions } from "../transport/keepalive.ts";
import type { Wire, WireSink } from "../transport/wire.ts";
import type { ResolvedChannelOptions } from "./channel-options.ts";
import { CountedWire } from "./counted-wire.ts";

/** A call as its connection sees it. */
export interface StreamEvents {
  onHeaders(fields: HeaderField[], endStream: boolean): void;
  onTrailers(fields: HeaderField[]): void;
  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void;
  onReset(code: ErrorCode, initiator: Initiator, cause: string | undefined): void;
  onWritable(): void;
  onConnectionLost(reason: string): void;
}

export interface ConnectionListener {
  /** The server's SETTINGS are here: calls may start. Called once. */
  onReady(connection: ClientConnection): void;
  /** A stream closed or the server allows more: a call that waits may start, once the event under way is over. */
  onRoom(connection: ClientConnection): void;
  /** gRFC A8: the server finds that we ping too often. */
  onTooManyPings(): void;
  /** No new call may start here; those under way go on. Called at most once, also before `onGone`. */
  onRetired(connection: ClientConnection, reason: string): void;
  /** What became of the calls that were under way then: one was answered, or none before the end (see `hasAnswered`). */
  onJudged(connection: ClientConnection): void;
  /** It is over, and so are its calls. */
  onGone(connection: ClientConnection): void;
}

/** What an operator should read for faults whose name alone does not say what to do. */
const REASONS: Readonly<Record<string, string>> = {
  "write-stalled": "the server read nothing of what was sent to it (writeStallTimeoutMs)",
  "keepalive-timeout": "the server did not answer a keepalive ping",
  "frame-timeout": "the server began a frame and did not finish it (frameTimeoutMs)",
  "header-block-timeout": "the server began a header block and did not finish it (headerBlockTimeoutMs)",
  "http1-answer": "the server answers in HTTP/1, not in HTTP/2: check the port, and whether a proxy is in between",
  "tls-answer": "the server answers in TLS: the channel needs its option tls (true, or an object with the server's ca)",
};

/** Before SETTINGS: what a server that speaks another protocol looks like. */
const NOT_HTTP2 = "the server does not speak HTTP/2: check the port";
const FIRST_REASONS: Readonly<Record<string, string>> = {
  "first-frame-is-not-settings": NOT_HTTP2,
  "frame-too-large": NOT_HTTP2,
  "http1-answer": REASONS["http1-answer"]!,
};

/** RFC 9113 §5.1.1: ids are never used again. Another connection takes over while there are plenty left. */
const LAST_STREAM_ID = 0.75 * 2 ** 31;

export class ClientConnection implements Http2Sink {
  readonly http2: Http2Connection;
  /** Set by `start`. */
  limits!: PeerLimits;
  /** The server has answered a call here. */
  hasAnswered = false;
  private readonly driver: Driver;
  private readonly keepalive: Keepalive;
  private readonly listener: ConnectionListener;
  private readonly options: ResolvedChannelOptions;
  private ready = false;
  private retired = false;
  private activeStreams = 0;
  private wire: CountedWire | undefined = undefined;
  /** What was not written when the connection was lost is not written any more either. */
  private isOutputLost = false;

  constructor(options: ResolvedChannelOptions, keepalive: KeepaliveOptions, listener: ConnectionListener) {
    this.listener = listener;
    this.options = options;
    this.http2 = new Http2Connection("client", options.http2, this);
    this.driver = new Driver(this.http2, () => {
      this.keepalive.stop();
      this.limits.share.leave();
      listener.onGone(this);
    });
    this.keepalive = new Keepalive(this.driver, keepalive);
  }

  get wireSink(): WireSink {
    return this.driver;
  }

  /** It does not keep the process alive: until it is ready whoever waits for it does, afterwards the calls on it. */
  start(wire: Wire): void {
    const { limits, writeStallTimeoutMs } = this.options;
    this.wire = new CountedWire(wire);
    this.limits = limitsOfPeer(limits, wire.peer.address);
    this.driver.start(this.wire, writeStallTimeoutMs);
    this.driver.unref();
  }

  /** Grows with every write; see {@link isUnwritten}. */
  get writeCount(): number {
    return this.wire!.writes;
  }

  /** True where nothing sent since {@link writeCount} had this value has left the process, nor ever will. */
  isUnwritten(writeCount: number): boolean {
    return this.isOutputLost && this.wire!.writes === writeCount;
  }

  /** No call was answered here yet, and one that is under way still may be. */
  get mayAnswer(): boolean {
    return !this.hasAnswered && !this.http2.isClosed && this.activeStreams > 0;
  }

  get canStartCall(): boolean {
    return !this.retired && this.http2.canOpenStream;
  }

  openStream(events: StreamEvents): Http2Stream {
    const stream = this.http2.openStream();
    stream.context = events;
    if (this.activeStreams++ === 0) this.driver.ref();
    if (stream.id >= LAST_STREAM_ID) this.retire("the connection has used up its stream ids");
    return stream;
  }

  /** A stream that was opened here is closed by the end of this event; its call may go on. To be called once for each. */
  streamClosed(): void {
    if (!this.retired) this.listener.onRoom(this);
  }

  /** A call that opened a stream here is over, or goes on elsewhere. */
  callEnded(): void {
    if (--this.activeStreams > 0) return;
    this.driver.unref();
    if (this.retired) this.driver.close();
  }

  /** Ends it now, with its calls. */
  close(): void {
    this.retired = true;
    this.driver.close();
  }

  // Http2Sink

  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void {
    if (!this.hasAnswered) this.onFirstAnswer();
    eventsOf(stream)?.onHeaders(fields, endStream);
  }

  onTrailers(stream: Http2Stream, fields: HeaderField[]): void {
    eventsOf(stream)?.onTrailers(fields);
  }

  onData(stream: Http2Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const events = eventsOf(stream);
    if (events === undefined) this.http2.consume(stream, end - start);
    else events.onData(bytes, start, end, endStream);
  }

  onReset(stream: Http2Stream, code: ErrorCode, initiator: Initiator, cause?: string): void {
    eventsOf(stream)?.onReset(code, initiator, cause);
  }

  onWritable(stream: Http2Stream): void {
    eventsOf(stream)?.onWritable();
  }

  onSettings(): void {
    if (this.ready) {
      this.listener.onRoom(this);
      return;
    }
    this.ready = true;
    this.keepalive.start();
    this.listener.onReady(this);
  }

  onGoAway(goAway: GoAway): void {
    const { code, debugData } = goAway;
    if (code === ErrorCode.ENHANCE_YOUR_CALM && debugData === "too_many_pings") this.listener.onTooManyPings();
    this.retire(`the server sent GOAWAY ${errorCodeName(code)}${debugData === "" ? "" : ` (${debugData})`}`);
  }

  onPingAck(): void {}

  onClosed(fault: Fault): void {
    const reason = this.reasonOf(fault);
    this.isOutputLost = fault.cause === "transport-closed" || fault === TLS_BROKEN;
    if (!this.retired) this.retire(reason);
    else if (!this.hasAnswered) this.listener.onJudged(this);
    for (const stream of this.http2.streams()) eventsOf(stream)?.onConnectionLost(reason);
  }

  onOutput(urgent: boolean): void {
    this.driver.outputPending(urgent);
  }

  private onFirstAnswer(): void {
    this.hasAnswered = true;
    if (this.retired) this.listener.onJudged(this);
  }

  private reasonOf({ cause }: Fault): string {
    const { closeError } = this.driver;
    const isLost = cause === "transport-closed";
    const broken = closeError === undefined ? undefined : `the connection broke: ${breakReason("client", closeError)}`;
    const lost = broken ?? "the server closed the connection";
    const reason = isLost ? lost : (REASONS[cause] ?? broken ?? `the connection ended: ${cause}`);
    if (this.ready) return reason;
    const first = FIRST_REASONS[cause];
    if (this.options.tls !== undefined) return first ?? reason;
    // A server that expects TLS takes our preface for a broken handshake, and says so in its own way or not at all.
    if (isLost) return `${reason} before it sent HTTP/2 SETTINGS: check the port, and whether it expects TLS`;
    return first === undefined ? reason : `${first}; it may expect TLS`;
  }

  /** No new calls; the connection closes when those under way are over. */
  private retire(reason: string): void {
    if (this.retired) return;
    this.retired = true;
    this.listener.onRetired(this, reason);
    if (this.activeStreams === 0) this.driver.close();
  }
}

function eventsOf(stream: Http2Stream): StreamEvents | undefined {
  return stream.context as StreamEvents | undefined;
}
