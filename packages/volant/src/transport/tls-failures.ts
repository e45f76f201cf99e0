/**
 * Handshakes that failed, told to the application without drowning it: a port scanner or a fleet with a wrong certificate
 * makes thousands a second. Owns the count; the first is told at once, then at most one a second with the number of all.
 */
import { monotonicMs } from "./time.ts";
import { timerWheel, WheelTimer } from "./timer-wheel.ts";

/** One failed handshake, and how many there were like it. */
export class TlsHandshakeError extends Error {
  override readonly name = "TlsHandshakeError";
  /** Of the one that is told: "203.0.113.7:50312". */
  readonly peer: string;
  readonly reason: string;
  /** Handshakes that failed since the last error of this class, this one included. */
  readonly count: number;

  constructor(failure: HandshakeFailure, count: number) {
    const more = count > 1 ? `, the last of ${count} that failed` : "";
    super(`the TLS handshake with ${failure.peer}${more}: ${failure.reason}`, { cause: failure.cause });
    this.peer = failure.peer;
    this.reason = failure.reason;
    this.count = count;
  }
}

export interface HandshakeFailure {
  readonly peer: string;
  readonly reason: string;
  readonly cause: unknown;
}

const QUIET_MS = 1_000;

export class HandshakeFailures extends WheelTimer {
  private readonly report: (error: TlsHandshakeError) => void;
  private isQuiet = false;
  private isClosed = false;
  private last: HandshakeFailure | undefined;
  private count = 0;

  constructor(report: (error: TlsHandshakeError) => void) {
    super();
    this.report = report;
  }

  add(failure: HandshakeFailure): void {
    this.last = failure;
    this.count++;
    if (!this.isQuiet) this.tell();
  }

  /** Tells what is left. */
  close(): void {
    this.isClosed = true;
    timerWheel.disarm(this);
    this.tell();
  }

  onTimer(): void {
    this.isQuiet = false;
    this.tell();
  }

  private tell(): void {
    const { last, count } = this;
    if (last === undefined) return;
    this.last = undefined;
    this.count = 0;
    this.isQuiet = !this.isClosed;
    if (this.isQuiet) timerWheel.arm(this, monotonicMs() + QUIET_MS);
    this.report(new TlsHandshakeError(last, count));
  }
}
