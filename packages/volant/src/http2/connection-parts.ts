/**
 * The parts of one connection and the few acts that touch several of them: failing, closing a stream, announcing output.
 * The receive and the send path share it; it holds no rule of any frame.
 */
import { AbuseBudget } from "./abuse-budget.ts";
import { ErrorCode } from "./error-code.ts";
import type { Fault } from "./fault.ts";
import { ReceiveWindow, SendWindow } from "./flow-window.ts";
import { MAX_STREAM_ID } from "./frame-type.ts";
import { goAwayBytes, writeGoAway } from "./frames/goaway.ts";
import { WINDOW_UPDATE_BYTES, writeWindowUpdate } from "./frames/window-update.ts";
import { HpackDecoder, HpackEncoder } from "./hpack/index.ts";
import type { ResolvedHttp2Options, Role } from "./options.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { Scheduler } from "./scheduler.ts";
import { SettingValues } from "./settings.ts";
import type { Http2Sink } from "./sink.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamState } from "./stream-state.ts";
import { StreamStore } from "./stream-store.ts";

/** Output that should not wait for the end of the turn. */
const URGENT_OUTPUT_BYTES = 65_536;

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
  /** The peer's parameters. */
  readonly remote = new SettingValues();
  /** RFC 9113 §6.9.2: the connection's windows start at 65,535 whatever SETTINGS say. */
  readonly sendWindow = new SendWindow(65_535);
  readonly receiveWindow: ReceiveWindow;
  /** Set once: why the connection is over. */
  fault: Fault | undefined = undefined;
  /** Highest peer stream we still take, as announced by our GOAWAY. */
  acceptUpTo: number = MAX_STREAM_ID;
  private outputAnnounced = false;

  constructor(role: Role, options: ResolvedHttp2Options, sink: Http2Sink) {
    this.role = role;
    this.options = options;
    this.sink = sink;
    this.streams = new StreamStore(role);
    this.encoder = new HpackEncoder(options.headerTableBytes);
    this.decoder = new HpackDecoder({
      maxTableBytes: options.headerTableBytes,
      maxListBytes: options.maxHeaderListBytes,
      maxFields: options.maxHeaderFields,
    });
    this.budget = new AbuseBudget(options.maxProvokedFrames);
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

  /** RFC 9113 §5.4.1: GOAWAY with the cause, then nothing more is read. */
  fail(fault: Fault): void {
    if (this.fault !== undefined) return;
    this.writeGoAway(this.streams.lastRemoteId, fault.code, fault.code === ErrorCode.NO_ERROR ? "" : fault.cause);
    this.close(fault);
  }

  /** Ends everything without a word to the peer. */
  close(fault: Fault): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.budget.countFault(fault);
    this.scheduler.clear();
    this.sink.onClosed(fault);
  }

  writeGoAway(lastStreamId: number, code: ErrorCode, debugData: string): void {
    this.output.ensure(goAwayBytes(debugData));
    this.output.length = writeGoAway(this.output.bytes, this.output.length, { lastStreamId, code, debugData });
    this.outputWritten();
  }

  /** Takes a stream out of every part. What it still held of the connection's window goes back to the peer. */
  closeStream(stream: Http2Stream, how: number): void {
    stream.state = StreamState.CLOSED;
    stream.outbound = undefined;
    this.scheduler.remove(stream);
    this.streams.remove(stream, how);
    this.releaseHeld(stream);
  }

  private releaseHeld(stream: Http2Stream): void {
    const window = stream.receiveWindow;
    const held = window.held;
    if (held > 0) {
      const settled = window.settleGrant(held);
      window.consume(held - settled);
      this.creditConnection(held, settled);
    }
    const unused = window.grantedBytes;
    if (unused > 0) {
      window.abandonGrant(unused);
      this.receiveWindow.abandonGrant(unused);
    }
  }

  /** `bytes` of the connection's window were consumed, `settled` of them out of a grant. */
  creditConnection(bytes: number, settled: number): void {
    if (settled > 0) this.receiveWindow.settleGrant(settled);
    const increment = this.receiveWindow.consume(bytes - settled);
    if (increment > 0) this.writeWindowUpdate(0, increment);
  }

  writeWindowUpdate(streamId: number, increment: number): void {
    if (this.isClosed) return;
    this.output.ensure(WINDOW_UPDATE_BYTES);
    this.output.length = writeWindowUpdate(this.output.bytes, this.output.length, streamId, increment);
    this.outputWritten();
  }
}
