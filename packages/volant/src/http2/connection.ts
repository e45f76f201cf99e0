/**
 * One HTTP/2 connection, either role, without I/O, clock or randomness. It coordinates: windows, settings, HPACK, streams,
 * scheduling, reservations and budgets each have their own owner. RFC 9113.
 *
 * Call order for a driver:
 *  1. `start(now)` once.
 *  2. `receive(bytes, now)` for each chunk, while `mayRead`; `handlePause(isPaused, now)` where it is not, and where it is again;
 *     `handleTransportClosed()` when there will be no more.
 *  3. After the sink's `onOutput`, once the transport took what was written before: `takeOutput()`, write it, then
 *     `handleRoom()`, which may produce more. Taking earlier would hide a peer that reads nothing from every limit.
 *  4. After 2 and 3: arm one timer for `nextTimeout()`; when it fires, `handleTimeout(now)`.
 *  5. Once `isClosed`: write what `takeOutput()` still has, then destroy the transport.
 *
 * Commands (`send…`, `resetStream`, `consume`, …) are legal inside the sink's calls and never call back synchronously,
 * save `onOutput`. Peer faults never throw; a {@link UsageError} is a bug on our side.
 */
import { ConnectionParts, type PeerLists } from "./connection-parts.ts";
import { Drain } from "./drain.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { MAX_STREAM_ID } from "./frame-type.ts";
import { Opening } from "./opening.ts";
import type { ResolvedHttp2Options, Role } from "./options.ts";
import type { TakenOutput } from "./output-buffer.ts";

import { ReceiveHeaders } from "./receive-headers.ts";
import { ReceivePath } from "./receive-path.ts";
import { Reservation } from "./reservation.ts";
import { SendPath } from "./send-path.ts";
import { SettingsSync } from "./settings-sync.ts";
import type { Http2Sink } from "./sink.ts";
import type { Http2Stream, OutboundBlock } from "./stream.ts";
import { UsageError } from "./usage-error.ts";

const TRANSPORT_CLOSED = connectionFault(ErrorCode.NO_ERROR, "transport-closed", "remote");
const CLOSED_BY_USER = connectionFault(ErrorCode.NO_ERROR, "closed", "user");
const HANDSHAKE_TIMEOUT = connectionFault(ErrorCode.PROTOCOL_ERROR, "handshake-timeout");
const SETTINGS_TIMEOUT = connectionFault(ErrorCode.SETTINGS_TIMEOUT, "settings-ack-timeout");

/** Leaves headroom below 2^31: a connection that has used this many ids is replaced by its owner. */
const LAST_USABLE_STREAM_ID = MAX_STREAM_ID - 2;

export class Http2Connection implements FrameSink {
  readonly role: Role;
  private readonly parts: ConnectionParts;
  private readonly sender: SendPath;
  private readonly settings: SettingsSync;
  private readonly receiver: ReceivePath;
  private readonly reader: FrameReader;
  private readonly reservation: Reservation;
  private readonly drain: Drain;
  private readonly opening: Opening;

  constructor(role: Role, options: ResolvedHttp2Options, sink: Http2Sink) {
    this.role = role;
    this.parts = new ConnectionParts(role, options, sink);
    this.sender = new SendPath(this.parts);
    this.settings = new SettingsSync(this.parts, this.sender);
    this.drain = new Drain(this.parts);
    this.opening = new Opening(this.parts, this.settings, this.drain);
    const { sender, settings, drain } = this;
    const headers = new ReceiveHeaders(this.parts);
    this.receiver = new ReceivePath(this.parts, { sender, settings, headers, drain });
    this.reader = new FrameReader(this, this.parts.frames, options.maxFrameBytes, role === "server");
    this.reservation = new Reservation(this.parts, this.sender);
  }

  // Environment in

  start(nowMs: number): void {
    this.opening.start(nowMs);
  }

  receive(bytes: Buffer, nowMs: number): void {
    if (this.parts.isClosed) return;
    this.parts.nowMs = nowMs;
    this.reader.receive(bytes, nowMs);
    if (this.isOutputOverfull) this.parts.budget.count("unread-answers");
  }

  /** The transport ended or failed; there will be no more octets. `fault`: what is counted for it, where that is not ordinary. */
  handleTransportClosed(fault?: Fault): void {
    this.parts.close(fault ?? this.opening.foreignAnswer(this.reader.unfinishedLength) ?? TRANSPORT_CLOSED);
    this.parts.output.discard();
  }

  /** To be called after output was taken: queued data moves up, and waiting writers hear of it. */
  handleRoom(): void {
    if (this.parts.isClosed) return;
    this.sender.pump();
    if (this.sender.hasWritable) this.deliverWritable();
  }

  /** Whether we hold chunks back: for that no peer is at fault. */
  handlePause(isPaused: boolean, nowMs: number): void {
    this.parts.frames.handlePause(isPaused, nowMs);
  }

  /** `receivedBytes`: what the transport took in so far, an incomplete record of TLS included; see `frame-watch.ts`. */
  handleTimeout(nowMs: number, receivedBytes: number = 0): void {
    const { parts } = this;
    parts.nowMs = nowMs;
    const slow = parts.frames.findFault(nowMs, receivedBytes);
    if (nowMs >= this.settings.handshakeDeadlineMs) parts.fail(HANDSHAKE_TIMEOUT);
    else if (nowMs >= this.settings.ackDeadlineMs) parts.fail(SETTINGS_TIMEOUT);
    else if (slow !== undefined) parts.fail(slow);
    else if (nowMs >= this.drain.deadlineMs) this.drain.finish();
    parts.budget.handleTimeout(nowMs);
    if (nowMs >= parts.slots.checkAtMs) this.giveUpHandlers(nowMs);
    if (nowMs >= parts.stalls.checkAtMs) this.dropStalled(nowMs);
  }

  /** When `handleTimeout` is due, in ms of the driver's clock; Infinity: never. */
  nextTimeout(): number {
    if (this.parts.isClosed) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.settings.handshakeDeadlineMs,
      this.settings.ackDeadlineMs,
      this.parts.frames.nextTimeoutMs,
      this.drain.deadlineMs,
      this.parts.budget.resumeAtMs,
      this.parts.slots.checkAtMs,
      this.parts.stalls.checkAtMs,
    );
  }

  // Commands

  /** A new stream of ours, idle until its headers are sent. Check {@link canOpenStream} first. */
  openStream(): Http2Stream {
    if (!this.canOpenStream) throw new UsageError("no stream can be opened on this connection now: see canOpenStream");
    const { streams, remote, streamWindowBytes } = this.parts;
    return streams.openLocalStream(remote.initialWindowBytes, streamWindowBytes);
  }

  sendHeaders(stream: Http2Stream, block: OutboundBlock, endStream: boolean): void {
    this.sender.sendHeaders(stream, block, endStream);
  }

  /** Ends our side with a header block, after all data. */
  sendTrailers(stream: Http2Stream, block: OutboundBlock): void {
    this.sender.sendTrailers(stream, block);
  }

  /** Takes `bytes` over. False: wait for the sink's `onWritable` before sending more. */
  sendData(stream: Http2Stream, bytes: Buffer, endStream: boolean): boolean {
    return this.sender.sendData(stream, bytes, endStream);
  }

  /** At least so many bytes would leave at once; the rest of a message would wait in memory. */
  sendableBytes(stream: Http2Stream): number {
    return this.sender.sendableBytes(stream);
  }

  /** Ends a stream now. The sink is not told: the caller knows. */
  resetStream(stream: Http2Stream, code: ErrorCode): void {
    if (!this.parts.isClosed) this.sender.reset(stream, code);
  }

  /** A stream that the layer above has no room for, at its headers: REFUSED_STREAM, charged as a refusal for `cause`. */
  refuseStream(stream: Http2Stream, cause: string): void {
    if (this.parts.isClosed || stream.isClosed) return;
    this.parts.budget.provokeFrame();
    this.sender.reset(stream, ErrorCode.REFUSED_STREAM);
    this.parts.charge(cause);
  }

  /**
   * The layer above has no use for this request and is about to answer it. Charged as a refusal for `cause`: such an answer costs
   * as much, and no handler stands behind it that could be limited.
   */
  rejectRequest(stream: Http2Stream, cause: string): void {
    if (this.parts.isClosed || stream.isClosed) return;
    stream.isRejected = true;
    this.parts.charge(cause);
  }

  /** `bytes` of the stream's DATA were used: the peer may send as many again. */
  consume(stream: Http2Stream, bytes: number): void {
    if (!this.parts.isClosed) this.receiver.consume(stream, bytes);
  }

  /**
   * Lets the peer send `bytes` more on this stream at once, above the window if need be: a message whose start was
   * accepted can always arrive whole. The connection is granted as much again, because other streams may hold its window.
   */
  expect(stream: Http2Stream, bytes: number): void {
    if (!this.parts.isClosed) this.receiver.expect(stream, bytes);
  }

  /** The response is complete before the request is: once our side has ended, the peer is told to stop. RFC 9113 §8.1. */
  resetWhenDone(stream: Http2Stream): void {
    if (stream.isClosed || this.parts.isClosed) return;
    if (stream.isLocalDone) this.resetStream(stream, ErrorCode.NO_ERROR);
    else stream.resetWhenDone = true;
  }

  /**
   * The stream's handler runs: the stream counts towards `maxConcurrentStreams` until {@link releaseSlot}, also after it
   * has ended. A handler that is over before control returns needs no slot. CVE-2023-44487.
   */
  holdSlot(stream: Http2Stream): void {
    this.parts.slots.hold(stream);
  }

  /** The handler settled. Once for each {@link holdSlot}; more do nothing. */
  releaseSlot(stream: Http2Stream): void {
    this.parts.slots.release(stream);
  }

  /** See {@link Reservation}: the position to write a message at, or -1. */
  reserve(stream: Http2Stream, headers: Buffer | undefined, estimate: number): number {
    return this.reservation.reserve(stream, headers, estimate);
  }

  /** Octets that may be written at the reserved position, into {@link outputBytes}. */
  get reservedLimit(): number {
    return this.reservation.limit;
  }

  get outputBytes(): Buffer {
    return this.parts.output.bytes;
  }

  /** `endStream` puts END_STREAM on the DATA frame; `trailers` end the stream too. False: nothing of it was sent. */
  commit(length: number, trailers: Buffer | undefined, endStream: boolean = false): boolean {
    return this.reservation.commit(length, trailers, endStream);
  }

  rollback(): void {
    this.reservation.rollback();
  }

  /**
   * `opaque` is an integer from 0 to 2^31-1; the answer arrives as `onPingAck(opaque)`. Not sent before our SETTINGS are
   * out: until then the handshake's deadline watches the peer.
   */
  sendPing(opaque: number): void {
    if (!this.parts.isClosed) this.drain.sendPing(opaque);
  }

  /** See {@link Drain}. `reason`: debug data of the GOAWAYs. */
  beginDrain(nowMs: number, reason: string = "draining"): void {
    this.drain.begin(nowMs, reason);
  }

  /** GOAWAY and the end of everything; the sink hears `onClosed`. */
  close(fault: Fault = CLOSED_BY_USER): void {
    this.reader.stop();
    this.parts.fail(fault);
  }

  // Out

  takeOutput(): TakenOutput | undefined {
    this.parts.outputTaken();
    return this.parts.output.take();
  }

  /**
   * False while the peer provokes more answers than it reads (CVE-2019-9512), until output is taken; or while it has spent
   * a budget, until `handleTimeout` is due.
   */
  get mayRead(): boolean {
    return this.parts.budget.mayRead && !this.isOutputOverfull;
  }

  /**
   * DATA stops at the high-water mark; beyond it are answers without data, such as those to calls of unknown methods, that
   * nobody reads. A client never stops for that: its requests wait for the server, and two that both waited would for ever.
   */
  private get isOutputOverfull(): boolean {
    const { role, output, options } = this.parts;
    return role === "server" && output.length >= options.outputHighWaterBytes + options.maxUnreadAnswerBytes;
  }

  get isClosed(): boolean {
    return this.parts.isClosed;
  }

  /** Why the connection is over; set once it is. */
  get fault(): Fault | undefined {
    return this.parts.fault;
  }

  /** True once the peer's SETTINGS arrived. */
  get isReady(): boolean {
    return this.settings.remoteReceived && !this.parts.isClosed;
  }

  get isDrainFinal(): boolean {
    return this.drain.isFinal;
  }

  /** The drain is over: nothing new may come and nothing is under way. */
  get isDrained(): boolean {
    return this.drain.isFinal && this.parts.streams.size === 0;
  }

  /** What header lists the peer takes. */
  get peerLists(): PeerLists {
    return this.parts.peerLists;
  }

  /** RFC 9113 §5.1.2, §6.8: a client within the peer's limit, with ids left, that was not told to go away. */
  get canOpenStream(): boolean {
    const { streams, remote, role, goAwayReceived } = this.parts;
    if (role === "server" || goAwayReceived || this.isExhausted) return false;
    return this.isReady && streams.openLocal < remote.maxConcurrentStreams;
  }

  /** RFC 9113 §5.1.1: no id is left for another stream of ours. */
  get isExhausted(): boolean {
    return this.parts.streams.nextLocalId > LAST_USABLE_STREAM_ID;
  }

  /** Streams of either side that are not over. */
  get streamCount(): number {
    return this.parts.streams.size;
  }

  /** Octets that are here of a DATA frame of this stream that is not complete: nobody was told of them yet. */
  heldDataOf(stream: Http2Stream): number {
    return this.reader.heldDataOf(stream.id);
  }

  streams(): readonly Http2Stream[] {
    return this.parts.streams.values();
  }

  /** Faults and refusals by cause, since the connection began. */
  get faultCounts(): ReadonlyMap<string, number> {
    return this.parts.budget.counts;
  }

  /** Handlers that run although their stream is over: those that still hold a slot, and those that were given up. */
  get handlersBeyondStreams(): { readonly held: number; readonly abandoned: number } {
    return { held: this.parts.slots.size, abandoned: this.parts.slots.abandoned };
  }

  /** Grows with each HEADERS and DATA frame sent. */
  get sentMark(): number {
    return this.parts.blocksSent + this.parts.budget.dataSent;
  }

  /** Connection-level windows, for tests and metrics. */
  get windows(): { readonly send: number; readonly receive: number; readonly held: number } {
    const { sendWindow, receiveWindow } = this.parts;
    return { send: sendWindow.available, receive: receiveWindow.open, held: receiveWindow.held };
  }

  // FrameSink: called by the reader only

  onFrame(bytes: Buffer, start: number, length: number, type: number, flags: number, streamId: number): boolean {
    const mayGoOn = this.receiver.onFrame(bytes, start, length, type, flags, streamId);
    // Here and not once a chunk, so that the chunks the transport makes change nothing.
    if (!this.sender.hasWritable) return mayGoOn;
    this.deliverWritable();
    return !this.parts.isClosed;
  }

  onPreface(): void {
    this.opening.send();
  }

  onBadPreface(firstOctets: Buffer): void {
    this.opening.onBadPreface(firstOctets);
  }

  onOversizedFrame(length: number): void {
    this.opening.onOversizedFrame(length);
  }

  private giveUpHandlers(nowMs: number): void {
    const count = this.parts.slots.handleTimeout(nowMs);
    for (let each = 0; each < count; each++) this.parts.budget.count("handler-abandoned");
  }

  private dropStalled(nowMs: number): void {
    for (const stream of this.parts.stalls.takeStalled(nowMs)) {
      if (!this.parts.isClosed) this.parts.dropStalled(stream);
    }
  }

  private deliverWritable(): void {
    for (const stream of this.sender.takeWritable()) {
      if (this.parts.isClosed) return;
      // One that was told to wait again since is told again later.
      if (!stream.isLocalDone && stream.outbound?.end === undefined && !stream.writerWaits) {
        this.parts.sink.onWritable(stream);
      }
    }
  }
}
