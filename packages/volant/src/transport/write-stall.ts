/**
 * A peer that takes nothing of what it was sent. Owns the watch over the one write of a connection that waits for the
 * system: no octet of it taken for the whole limit is the end. Without this a peer that never reads keeps its
 * connection, and everything queued on it, for ever (CVE-2019-9517); keepalive cannot see it, its PING waits in the same
 * queue.
 *
 * What the peer sends meanwhile proves nothing: it costs it nothing. Invariant: armed only once a write waits, and seldom
 * rearmed, so that writes that come and go cost two assignments. Checks are counted, not hours: a process that was stopped
 * for a while looks twice, and meanwhile the loop has told of what left.
 */

import { connectionFault, ErrorCode, type Fault } from "../http2/index.ts";
import { monotonicMs } from "./time.ts";
import { timerWheel, WheelTimer } from "./timer-wheel.ts";
import type { Wire } from "./wire.ts";

export const WRITE_STALLED: Fault = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "write-stalled");

/** Of both roles, when they are not told otherwise. */
export const DEFAULT_WRITE_STALL_MS = 30_000;

/** Looks within one limit: the end comes after once the limit, or half as long again. */
const CHECKS = 2;

export class WriteStall extends WheelTimer {
  private readonly wire: Wire;
  private readonly everyMs: number;
  private readonly onStalled: () => void;
  private isWaiting = false;
  private unsentBytes = Number.POSITIVE_INFINITY;
  private checks = 0;

  constructor(wire: Wire, timeoutMs: number, onStalled: () => void) {
    super();
    this.wire = wire;
    this.everyMs = timeoutMs / CHECKS;
    this.onStalled = onStalled;
  }

  /** A write was not taken whole. */
  begin(): void {
    this.isWaiting = true;
    if (this.slot >= 0) return;
    this.look();
    timerWheel.arm(this, monotonicMs() + this.everyMs);
  }

  /** It is over. */
  end(): void {
    this.isWaiting = false;
    this.unsentBytes = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    timerWheel.disarm(this);
  }

  override onTimer(nowMs: number): void {
    if (!this.isWaiting) return;
    if (!this.look() && this.checks === CHECKS) this.onStalled();
    else timerWheel.arm(this, nowMs + this.everyMs);
  }

  /** True where something was taken since the last look. */
  private look(): boolean {
    const { unsentBytes } = this.wire;
    const hasMoved = unsentBytes < this.unsentBytes;
    this.unsentBytes = unsentBytes;
    this.checks = hasMoved ? 0 : this.checks + 1;
    return hasMoved;
  }
}
