/**
 * The driver of one live connection: read → core → write → arm one timer. Owns when output is written and when reading
 * pauses; knows no gRPC. The layer above is the core's sink and forwards `onOutput` here.
 */

import {
  connectionFault,
  ErrorCode,
  type Fault,
  type Http2Connection,
  type Role,
  releaseBuffer,
} from "../http2/index.ts";
import { faultOfBreak } from "./broken-wire.ts";
import { type Flushable, flushAtEndOfTurn, flushIfLate } from "./flush-queue.ts";
import { LATE_MS } from "./late.ts";
import { monotonicMs } from "./time.ts";
import { timerWheel, WheelTimer } from "./timer-wheel.ts";
import { DEFAULT_SLICE_MS } from "./turn-scheduler.ts";
import type { Peer, Wire, WireSink } from "./wire.ts";
import { WRITE_STALLED, WriteStall } from "./write-stall.ts";

/**
 * From the end of the core to the end of the wire: for a last GOAWAY to leave and for the peer to close its side, because
 * a close with unread octets would take from the peer what it has not read yet. One that does neither holds nothing.
 */
const CLOSE_MS = 1_000;
/** What is read and dropped meanwhile: a peer that was under way with a window's worth, and not one that floods on. */
const MAX_LATE_BYTES = 262_144;
const DEFECT = connectionFault(ErrorCode.INTERNAL_ERROR, "internal-error");

class DriverTimer extends WheelTimer {
  private readonly driver: Driver;

  constructor(driver: Driver) {
    super();
    this.driver = driver;
  }

  onTimer(nowMs: number): void {
    this.driver.handleTimer(nowMs);
  }
}

export class Driver implements WireSink, Flushable {
  readonly http2: Http2Connection;
  /** When the last octet arrived, on the scale of `performance.now()`. */
  lastReadMs = 0;
  /** What the wire said when it broke. Set before the core, and with it the sink, hears of the end. */
  closeError: Error | undefined = undefined;
  /** To be set before there is a wire. */
  turnSliceMs: number = DEFAULT_SLICE_MS;
  onTurnWaited: () => void = nothing;
  private wire: Wire | undefined;
  private writeStallTimeoutMs = Number.POSITIVE_INFINITY;
  /** Made when a write waits for the first time. */
  private writeStall: WriteStall | undefined = undefined;
  private readonly onGone: (error: Error | undefined) => void;
  private readonly timer: DriverTimer = new DriverTimer(this);
  private flushQueued = false;
  /** The buffer that the wire still reads from. */
  private writing: Buffer | undefined;
  private paused = false;
  /** A deadline that was put off, until when, and what has to be handled first. */
  private lateDueMs = -1;
  private lateUntilMs = 0;
  private lateMark = 0;
  private closing = false;
  /** Octets that came since. */
  private lateBytes = 0;
  private gone = false;
  private readonly onDefect: (error: unknown) => void;

  /**
   * `onGone` is called once, when the wire is closed and nothing more will happen. `onDefect` gets what is thrown while
   * octets are handled: a mistake on our side, which costs this connection and no other.
   */
  constructor(
    http2: Http2Connection,
    onGone: (error: Error | undefined) => void,
    onDefect: (error: unknown) => void = rethrow,
  ) {
    this.http2 = http2;
    this.onGone = onGone;
    this.onDefect = onDefect;
  }

  /**
   * To be called once with the wire that was made with this driver as its sink. `writeStallTimeoutMs`: how long the peer may
   * take no octet of what waits for it, see {@link WriteStall}; Infinity: for ever.
   */
  start(wire: Wire, writeStallTimeoutMs: number = Number.POSITIVE_INFINITY): void {
    this.wire = wire;
    this.writeStallTimeoutMs = writeStallTimeoutMs;
    this.lastReadMs = monotonicMs();
    this.http2.start(this.lastReadMs);
    this.afterCore();
  }

  get peer(): Peer {
    return this.wire!.peer;
  }

  get role(): Role {
    return this.http2.role;
  }

  /** See {@link Wire.inputMark}. */
  get inputMark(): number {
    return this.wire!.inputMark;
  }

  isHandled(inputMark: number): boolean {
    return this.wire!.isHandled(inputMark);
  }

  onChunk(bytes: Buffer): void {
    const nowMs = monotonicMs();
    flushIfLate(nowMs);
    this.lastReadMs = nowMs;
    if (this.closing) {
      this.dropLate(bytes.length);
      return;
    }
    try {
      this.http2.receive(bytes, nowMs);
    } catch (error) {
      this.http2.close(DEFECT);
      this.afterCore();
      this.onDefect(error);
      return;
    }
    this.afterCore();
    if (!this.http2.mayRead && !this.paused) this.pause();
  }

  onEnd(): void {
    // Streams still open cannot finish: a peer that half-closes TCP has no way to answer for its window.
    this.http2.handleTransportClosed();
    this.afterCore();
  }

  onClosed(error: Error | undefined): void {
    if (this.gone) return;
    this.gone = true;
    this.closeError = error;
    timerWheel.disarm(this.timer);
    this.writeStall?.stop();
    this.http2.handleTransportClosed(faultOfBreak(error));
    this.onGone(error);
  }

  /** The core has output; `urgent` when it should not wait for the end of the turn. */
  outputPending(urgent: boolean): void {
    if (urgent) this.write();
    else if (!this.flushQueued) {
      this.flushQueued = true;
      flushAtEndOfTurn(this);
    }
  }

  flush(): void {
    this.flushQueued = false;
    if (this.writing !== undefined || this.gone) return;
    this.write();
    this.http2.handleRoom();
    this.afterCore();
  }

  /** GOAWAY with this fault (by default a plain end), then the wire closes. */
  close(fault?: Fault): void {
    if (!this.http2.isClosed) this.http2.close(fault);
    this.afterCore();
  }

  /** To be called after commands that may have closed the core or changed its timers outside of `onChunk`. */
  afterCore(): void {
    if (this.gone) return;
    if (this.http2.isDrained) this.http2.close();
    if (this.http2.isClosed) this.finish();
    else this.armTimer();
  }

  handleTimer(nowMs: number): void {
    if (this.http2.isClosed) {
      this.wire!.destroy();
      return;
    }
    if (this.isLate(nowMs)) return;
    this.http2.handleTimeout(nowMs, this.wire!.receivedBytes);
    this.afterCore();
    if (this.writing === undefined) this.resume();
  }

  ref(): void {
    this.wire?.ref();
  }

  unref(): void {
    this.wire?.unref();
  }

  private dropLate(bytes: number): void {
    this.lateBytes += bytes;
    if (this.lateBytes > MAX_LATE_BYTES) this.wire!.destroy();
  }

  /**
   * Our own process stood still: what the peer sent meanwhile is read first. Or that was read and waits for its turn. Each
   * deadline is put off once for the former, and for what waits when it comes: more may come without end.
   */
  private isLate(nowMs: number): boolean {
    const { wire } = this;
    const dueMs = this.http2.nextTimeout();
    if (dueMs !== this.lateDueMs) {
      const { inputMark } = wire!;
      if (nowMs - dueMs < LATE_MS && wire!.isHandled(inputMark)) return false;
      this.lateDueMs = dueMs;
      this.lateMark = inputMark;
    } else if (wire!.isHandled(this.lateMark)) return false;
    this.lateUntilMs = nowMs + LATE_MS;
    this.armTimer();
    return true;
  }

  private armTimer(): void {
    const nextMs = this.http2.nextTimeout();
    const dueMs = nextMs === this.lateDueMs ? this.lateUntilMs : nextMs;
    if (dueMs !== this.timer.dueMs) timerWheel.arm(this.timer, dueMs);
  }

  /** The core is closed: its last words go out, then the wire ends. */
  private finish(): void {
    if (!this.closing) {
      this.closing = true;
      // Whoever waits for the end must see it, also where nothing else keeps the process alive.
      this.wire!.ref();
      timerWheel.arm(this.timer, monotonicMs() + CLOSE_MS);
    }
    this.write();
    if (this.writing === undefined) this.wire!.end();
  }

  /** One at a time: the wire still reads from what it was given. */
  private write(): void {
    if (this.writing !== undefined) return;
    const taken = this.http2.takeOutput();
    if (taken === undefined) return;
    if (this.wire!.write(taken.bytes, this.onWritten)) releaseBuffer(taken.owner);
    else {
      this.writing = taken.owner;
      this.watchWrite();
    }
  }

  private watchWrite(): void {
    if (this.writeStallTimeoutMs === Number.POSITIVE_INFINITY) return;
    this.writeStall ??= new WriteStall(this.wire!, this.writeStallTimeoutMs, () => this.onStalled());
    this.writeStall.begin();
  }

  /** Nothing can be told to a peer that does not read. */
  private onStalled(): void {
    if (!this.http2.isClosed) this.http2.close(WRITE_STALLED);
    this.wire!.destroy();
  }

  private readonly onWritten = (): void => {
    if (this.writing !== undefined) releaseBuffer(this.writing);
    this.writing = undefined;
    this.writeStall?.end();
    if (this.gone) return;
    if (this.http2.isClosed) this.finish();
    else this.flush();
    // What the peer had provoked meanwhile counts until it was taken.
    this.resume();
  };

  /**
   * The peer provokes more than it reads, until the write that is under way is done: without one there is nothing to wait
   * for. Or it has spent a budget, until the core's timer.
   */
  private pause(): void {
    this.write();
    if (this.writing === undefined && this.http2.mayRead) return;
    this.paused = true;
    this.http2.handlePause(true, this.lastReadMs);
    this.wire!.pause();
  }

  private resume(): void {
    if (!this.paused || this.gone || !this.http2.mayRead) return;
    this.paused = false;
    this.http2.handlePause(false, monotonicMs());
    this.wire!.resume();
    this.afterCore();
  }
}

function nothing(): void {}

function rethrow(error: unknown): never {
  throw error;
}
