/**
 * How often a client may ask whether we are there. gRFC A8, server enforcement: a fleet of clients that ping every second
 * keeps a server busy for nothing. Owns the strikes of one connection.
 *
 * A PING is free when something happened since the one before: we sent HEADERS or DATA, as gRFC A8 has it, which also frees
 * the bandwidth estimators of other stacks, or the client began or reset a call: Go's net/http sends a PING with the reset
 * of each call that was not answered.
 */
import { connectionFault, ErrorCode, type Fault } from "../transport/http2.ts";

export interface PingPolicyOptions {
  /** Least time between two PINGs while calls are under way. */
  readonly minTimeMs: number;
  /** The same time is enough without calls. */
  readonly permitWithoutCalls: boolean;
  /** Strikes that are forgiven. */
  readonly maxStrikes: number;
}

/** The words of gRFC A8: clients look for them, and then ping half as often. */
export const TOO_MANY_PINGS: Fault = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings");

const WITHOUT_CALLS_MS = 7_200_000;

export class PingPolicy {
  private readonly options: PingPolicyOptions;
  private strikes = 0;
  private lastMs = Number.NEGATIVE_INFINITY;
  private lastActivity = -1;

  constructor(options: PingPolicyOptions) {
    this.options = options;
  }

  /** `activity`, 0 or more, is another number whenever something happened. False: that was one PING too many. */
  receive(nowMs: number, hasCalls: boolean, activity: number): boolean {
    const { minTimeMs, permitWithoutCalls, maxStrikes } = this.options;
    const sinceMs = nowMs - this.lastMs;
    this.lastMs = nowMs;
    if (activity !== this.lastActivity) {
      this.lastActivity = activity;
      this.strikes = 0;
      return true;
    }
    if (sinceMs < (hasCalls || permitWithoutCalls ? minTimeMs : WITHOUT_CALLS_MS)) this.strikes++;
    return this.strikes <= maxStrikes;
  }
}
