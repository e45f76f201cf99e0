/**
 * The parts of one connection and the few acts that touch several of them: failing, closing or resetting a stream,
 * announcing output. The receive and the send path share it; it holds no rule of any frame.
 */
import { AbuseBudget } from "./abuse-budget.ts";
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { DEFAULT_WINDOW_BYTES, ReceiveWindow, SendWindow } from "./flow-window.ts";
import { MAX_STREAM_ID } from "./frame-type.ts";
import { FrameWatch } from "./frame-watch.ts";
import { goAwayBytes, writeGoAway } from "./frames/goaway.ts";
import { RST_STREAM_BYTES, writeRstStream } from "./frames/rst-stream.ts";
import { WINDOW_UPDATE_BYTES, writeWindowUpdate } from "./frames/window-update.ts";
import { HandlerSlots, NO_SLOT } from "./handler-slots.ts";
import { DEFAULT_TABLE_BYTES, HpackDecoder, HpackEncoder } from "./hpack/index.ts";
import type { ResolvedHttp2Options, Role } from "./options.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { Scheduler } from "./scheduler.ts";
import { SettingValues } from "./settings.ts";
import type { Http2Sink } from "./sink.ts";
import { StallWatch } from "./stall-watch.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamState } from "./stream-state.ts";
import { ClosedHow, StreamStore } from "./stream-store.ts";

/** Output that should not wait for the end of the turn. */
const URGENT_OUTPUT_BYTES = 65_536;

/** The largest header list that may be sent, RFC 9113 §6.5.2; follows the peer's SETTINGS. */
export interface PeerLists {
  bytes: number;
  /** The peer named a limit; otherwise it is our own. */
  isNamed: boolean;
}

export class ConnectionParts {
  readonly role: Role;
  readonly options: ResolvedHttp2Options;
  readonly sink: Http2Sink;
  readonly output = new OutputBuffer();
  readonly scheduler = new Scheduler();
  readonly streams: StreamStore;
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;
  readonly budget: AbuseBudget;
  readonly slots: HandlerSlots;
  readonly stalls: StallWatch;
  readonly frames: FrameWatch;
  /** The time of what is being handled; during a command of the layer above, of what was handled last. */
  nowMs = 0;
  /** The peer's parameters. */
  readonly remote = new SettingValues();
  readonly peerLists: PeerLists;
  /** RFC 9113 §6.9.2: the connection's windows start at 65,535 whatever SETTINGS say. */
  readonly sendWindow = new SendWindow(DEFAULT_WINDOW_BYTES);
  readonly receiveWindow: ReceiveWindow;
  /** Set once: why the connection is over. */
  fault: Fault | undefined = undefined;
  /** Highest peer stream we still take, as announced by our GOAWAY. */
  acceptUpTo: number = MAX_STREAM_ID;
  /** Receive window of new streams. */
  streamWindowBytes: number;
  /** Our SETTINGS are out. RFC 9113 §3.4: nothing may go before them. */
  isOpeningSent = false;
  /** Header blocks sent on their own; those of a reservation come with DATA. */
  blocksSent = 0;
  /** RFC 9113 §6.8: after the peer's GOAWAY we open no further stream. */
  goAwayReceived = false;
  private outputAnnounced = false;

  constructor(role: Role, options: ResolvedHttp2Options, sink: Http2Sink) {
    this.role = role;
    this.options = options;
    this.sink = sink;
    this.streams = new StreamStore(role);
    this.encoder = new HpackEncoder(options.headerTableBytes);
    this.peerLists = { bytes: options.maxSentHeaderListBytes, isNamed: false };
    // RFC 9113 §6.5.3, §6.9.3: until the peer acknowledges our SETTINGS it may act on the larger defaults.
    this.streamWindowBytes = Math.max(options.initialStreamWindowBytes, DEFAULT_WINDOW_BYTES);
    this.decoder = new HpackDecoder({
      maxTableBytes: Math.max(options.headerTableBytes, DEFAULT_TABLE_BYTES),
      maxListBytes: options.maxHeaderListBytes,
      maxFields: options.maxHeaderFields,
    });
    this.budget = new AbuseBudget(options);
    this.slots = new HandlerSlots(options.abandonedHandlerMs, options.maxAbandonedHandlers);
    // A server may take a client's request as slowly as it likes; the call's deadline bounds that.
    const stallTimeoutMs = role === "server" ? options.streamStallTimeoutMs : Number.POSITIVE_INFINITY;
    this.stalls = new StallWatch(stallTimeoutMs, this.sendWindow);
    this.frames = new FrameWatch(options);
    this.receiveWindow = new ReceiveWindow(options.connectionWindowBytes);
  }

  get isClosed(): boolean {
    return this.fault !== undefined;
  }

  /** To be called after every write to `output`. */
  outputWritten(): void {
    if (this.output.length >= URGENT_OUTPUT_BYTES) this.sink.onOutput(true);
    else if (!this.outputAnnounced) {
      this.outputAnnounced = true;
      this.sink.onOutput(false);
    }
  }

  outputTaken(): void {
    this.outputAnnounced = false;
    this.budget.outputTaken();
  }

  /** The first frame of a stream of ours is about to go out. */
  beginLocal(stream: Http2Stream): void {
    this.streams.beginLocal(stream);
    this.budget.streamOpened();
  }

  /** RFC 9113 §5.4.1: GOAWAY with the cause, then nothing more is read. */
  fail(fault: Fault): void {
    if (this.fault !== undefined) return;
    if (this.isOpeningSent) {
      // RFC 9113 §6.8: the last stream id never grows from one GOAWAY to the next.
      const lastStreamId = Math.min(this.streams.lastRemoteId, this.acceptUpTo);
      this.writeGoAway(lastStreamId, fault.code, fault.code === ErrorCode.NO_ERROR ? "" : fault.cause);
    }
    this.close(fault);
  }

  /** RFC 9113 §5.4.2: RST_STREAM, and the layer above hears of it. False where the connection is over. */
  failStream(stream: Http2Stream, fault: Fault): boolean {
    // An illegal frame after the peer's END_STREAM is no way to make us send resets without end (CVE-2025-8671).
    if (stream.isRemoteDone) {
      this.fail(fault);
      return false;
    }
    this.closeStream(stream, ClosedHow.RESET_BY_US);
    this.budget.provokeFrame();
    this.writeReset(stream.id, fault.code);
    this.sink.onReset(stream, fault.code, "library", fault.cause);
    return !this.isClosed && this.charge(fault.cause);
  }

  /** A reset that the peer provoked, of a stream that never was. False where the connection is over. */
  refuse(streamId: number, code: ErrorCode, cause: string): boolean {
    this.streams.markRefused(streamId);
    this.budget.provokeFrame();
    this.writeReset(streamId, code);
    return this.charge(cause);
  }

  /** Counts what the peer did and charges its budgets. False where that was too much: the connection is over. */
  charge(cause: string): boolean {
    if (this.budget.charge(cause, this.nowMs)) return true;
    this.fail(connectionFault(ErrorCode.ENHANCE_YOUR_CALM, `${cause}-flood`));
    return false;
  }

  /** To be called behind an acknowledgement. False where the peer leaves too many unread: CVE-2019-9512. */
  answerProvoked(cause: string): boolean {
    this.outputWritten();
    if (this.budget.provokeAnswer()) return true;
    this.fail(connectionFault(ErrorCode.ENHANCE_YOUR_CALM, `${cause}-flood`));
    return false;
  }

  /** The peer takes nothing of what waits for it. The sink tells it from other resets by its code: no fault of a peer has it. */
  dropStalled(stream: Http2Stream): void {
    this.budget.count("stream-stalled");
    this.closeStream(stream, ClosedHow.RESET_BY_US);
    this.writeReset(stream.id, ErrorCode.CANCEL);
    this.sink.onReset(stream, ErrorCode.CANCEL, "library");
  }

  writeReset(streamId: number, code: ErrorCode): void {
    this.output.ensure(RST_STREAM_BYTES);
    this.output.length = writeRstStream(this.output.bytes, this.output.length, streamId, code);
    this.outputWritten();
  }

  /** Ends everything without a word to the peer. */
  close(fault: Fault): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.budget.countFault(fault);
    this.scheduler.clear();
    this.sink.onClosed(fault);
    // Handlers that run on hold their streams, and need not hold what can no longer be sent.
    for (const stream of this.streams.values()) this.dropQueue(stream);
  }

  writeGoAway(lastStreamId: number, code: ErrorCode, debugData: string): void {
    this.output.ensure(goAwayBytes(debugData));
    this.output.length = writeGoAway(this.output.bytes, this.output.length, { lastStreamId, code, debugData });
    this.outputWritten();
  }

  /**
   * Takes a stream out of every part. What it still held of the connection's window goes back to the peer. A stream that was
   * closed inside the sink's call, and whose own end comes after it, closes once.
   */
  closeStream(stream: Http2Stream, how: number): void {
    stream.state = StreamState.CLOSED;
    if (!this.streams.remove(stream, how)) return;
    this.dropQueue(stream);
    this.scheduler.remove(stream);
    this.releaseHeld(stream);
    if (stream.slot !== NO_SLOT) this.slots.streamEnded(stream, this.nowMs);
    if (stream.stall !== undefined) this.stalls.forget(stream);
    if (how === ClosedHow.ENDED && !stream.isRejected) this.budget.callCompleted();
  }

  /** What is queued for it will not be sent. */
  private dropQueue(stream: Http2Stream): void {
    const { outbound } = stream;
    if (outbound === undefined) return;
    stream.outbound = undefined;
    this.sink.onHeldChange?.(-outbound.heldBytes);
  }

  private releaseHeld(stream: Http2Stream): void {
    const held = stream.receiveWindow.takeHeld();
    if (held > 0) this.creditConsumed(stream, held);
    if (stream.tinyHeld > 0) this.releaseTiny(stream, stream.tinyHeld);
    if (stream.connectionGrant > 0) {
      this.receiveWindow.abandonGrant(stream.connectionGrant);
      stream.connectionGrant = 0;
    }
  }

  releaseTiny(stream: Http2Stream, frames: number): void {
    stream.tinyHeld -= frames;
    this.budget.releaseTiny(frames);
  }

  /** Octets of a stream were consumed: the connection's window gets them back, save what was granted on top. */
  creditConsumed(stream: Http2Stream, bytes: number): void {
    const settled = Math.min(bytes, stream.connectionGrant);
    if (settled > 0) {
      stream.connectionGrant -= settled;
      this.receiveWindow.settleGrant(settled);
    }
    this.creditConnection(bytes - settled);
  }

  /** `bytes` of the connection's window, none of them granted on top, were consumed. */
  creditConnection(bytes: number): void {
    const increment = this.receiveWindow.consume(bytes);
    if (increment > 0) this.writeWindowUpdate(0, increment);
  }

  writeWindowUpdate(streamId: number, increment: number): void {
    if (this.isClosed) return;
    this.output.ensure(WINDOW_UPDATE_BYTES);
    this.output.length = writeWindowUpdate(this.output.bytes, this.output.length, streamId, increment);
    this.outputWritten();
  }
}
