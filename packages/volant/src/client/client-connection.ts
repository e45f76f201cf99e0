/**
 * One connection of a client: streams out, their events back to the calls. Owns readiness (the server's SETTINGS arrived),
 * the end of new calls after GOAWAY, and whether the connection keeps the process alive.
 */
import {
  type ErrorCode,
  errorCodeName,
  type Fault,
  type GoAway,
  type HeaderField,
  Http2Connection,
  type Http2Sink,
  type Http2Stream,
  type Initiator,
} from "../transport/http2.ts";
import { Driver } from "../transport/driver.ts";
import { Keepalive } from "../transport/keepalive.ts";
import type { Wire, WireSink } from "../transport/wire.ts";
import type { ResolvedChannelOptions } from "./channel-options.ts";

/** A call as its connection sees it. */
export interface StreamEvents {
  onHeaders(fields: HeaderField[], endStream: boolean): void;
  onTrailers(fields: HeaderField[]): void;
  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void;
  onReset(code: ErrorCode, initiator: Initiator): void;
  onWritable(): void;
  onConnectionLost(reason: string): void;
}

export interface ConnectionListener {
  /** The server's SETTINGS are here: calls may start. Called once. */
  onReady(connection: ClientConnection): void;
  /** A call ended or the server allows more: one that waits may start. */
  onRoom(connection: ClientConnection): void;
  /** No new call may start here; those under way go on. Called at most once, also before `onGone`. */
  onRetired(connection: ClientConnection, reason: string): void;
  /** It is over, and so are its calls. */
  onGone(connection: ClientConnection, reason: string): void;
}

export class ClientConnection implements Http2Sink {
  readonly http2: Http2Connection;
  private readonly driver: Driver;
  private readonly keepalive: Keepalive;
  private readonly listener: ConnectionListener;
  private ready = false;
  private retired = false;
  private activeStreams = 0;

  constructor(options: ResolvedChannelOptions, listener: ConnectionListener) {
    this.listener = listener;
    this.http2 = new Http2Connection("client", options.http2, this);
    this.driver = new Driver(this.http2, (error) => {
      this.keepalive.stop();
      this.retire(error?.message ?? this.reason());
      listener.onGone(this, error?.message ?? this.reason());
    });
    this.keepalive = new Keepalive(this.driver, options.keepalive);
  }

  get wireSink(): WireSink {
    return this.driver;
  }

  start(wire: Wire): void {
    this.driver.start(wire);
  }

  get canStartCall(): boolean {
    return !this.retired && this.http2.canOpenStream;
  }

  openStream(events: StreamEvents): Http2Stream {
    const stream = this.http2.openStream();
    stream.context = events;
    if (this.activeStreams++ === 0) this.driver.ref();
    return stream;
  }

  /** A call that opened a stream here is over. */
  callEnded(): void {
    if (--this.activeStreams === 0) {
      this.driver.unref();
      if (this.retired) this.driver.close();
    }
    if (!this.retired) this.listener.onRoom(this);
  }

  /** No new calls; the connection closes when those under way are over. */
  retire(reason: string): void {
    if (this.retired) return;
    this.retired = true;
    this.listener.onRetired(this, reason);
    if (this.activeStreams === 0) this.driver.close();
  }

  close(): void {
    this.retired = true;
    this.driver.close();
  }

  // Http2Sink

  onHeaders(stream: Http2Stream, fields: HeaderField[], endStream: boolean): void {
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

  onReset(stream: Http2Stream, code: ErrorCode, initiator: Initiator): void {
    eventsOf(stream)?.onReset(code, initiator);
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
    this.driver.unref();
    this.listener.onReady(this);
  }

  onGoAway(goAway: GoAway): void {
    const debug = goAway.debugData === "" ? "" : ` (${goAway.debugData})`;
    this.retire(`the server sent GOAWAY ${errorCodeName(goAway.code)}${debug}`);
  }

  onPingAck(): void {}

  onClosed(_fault: Fault): void {
    const reason = this.reason();
    this.retire(reason);
    for (const stream of this.http2.streams()) eventsOf(stream)?.onConnectionLost(reason);
  }

  onOutput(urgent: boolean): void {
    this.driver.outputPending(urgent);
  }

  private reason(): string {
    const { fault } = this.http2;
    if (fault === undefined) return "the connection was closed";
    if (fault.cause === "transport-closed") return "the server closed the connection";
    if (fault.cause === "keepalive-timeout") return "the server did not answer a keepalive ping";
    return `the connection ended: ${fault.cause}`;
  }
}

function eventsOf(stream: Http2Stream): StreamEvents | undefined {
  return stream.context as StreamEvents | undefined;
}
