/**
 * Keepalive: a PING after silence, and an end when nothing answers. gRFC A8. Without it a peer that vanished holds a
 * call, and its memory, for as long as the kernel believes in it.
 *
 * Owns the two timers of one connection; what counts as activity is any octet read.
 */

import { connectionFault, ErrorCode, type Fault } from "../http2/index.ts";
import type { Driver } from "./driver.ts";
import { LATE_MS } from "./late.ts";
import { monotonicMs } from "./time.ts";
import { timerWheel, WheelTimer } from "./timer-wheel.ts";

export const KEEPALIVE_TIMEOUT: Fault = connectionFault(ErrorCode.NO_ERROR, "keepalive-timeout");

export interface KeepaliveOptions {
  /** Silence before a PING. Infinity: never. */
  readonly timeMs: number;
  /** How long any octet may take to arrive after it. */
  readonly timeoutMs: number;
  /** Ping also while no stream is open. */
  readonly withoutCalls: boolean;
}

export class Keepalive extends WheelTimer {
  private readonly driver: Driver;
  private readonly options: KeepaliveOptions;
  private pingSentMs = -1;
  /** When the end comes unless something is read. */
  private answerDueMs = 0;
  private pings = 0;

  constructor(driver: Driver, options: KeepaliveOptions) {
    super();
    this.driver = driver;
    this.options = options;
  }

  start(): void {
    if (this.options.timeMs !== Number.POSITIVE_INFINITY) {
      timerWheel.arm(this, monotonicMs() + this.options.timeMs);
    }
  }

  stop(): void {
    timerWheel.disarm(this);
  }

  onTimer(nowMs: number): void {
    const { driver, options } = this;
    if (driver.http2.isClosed) return;
    const silentSince = driver.lastReadMs;
    if (this.pingSentMs >= 0 && silentSince < this.pingSentMs) {
      // What was read and waits for its turn counts once that has come.
      const isOver = nowMs - this.answerDueMs < LATE_MS && driver.isHandled(driver.inputMark);
      if (isOver) driver.close(KEEPALIVE_TIMEOUT);
      else this.awaitAnswer(nowMs + LATE_MS);
      return;
    }
    this.pingSentMs = -1;
    const isDue = nowMs - silentSince >= options.timeMs;
    if (isDue && (options.withoutCalls || driver.http2.streamCount > 0)) {
      this.pingSentMs = nowMs;
      driver.http2.sendPing(this.pings++ & 0x7fff_ffff);
      this.awaitAnswer(nowMs + options.timeoutMs);
    } else {
      timerWheel.arm(this, isDue ? nowMs + options.timeMs : silentSince + options.timeMs);
    }
  }

  private awaitAnswer(untilMs: number): void {
    this.answerDueMs = untilMs;
    timerWheel.arm(this, untilMs);
  }
}
