/**
 * How long one connection of a server lives: idle, and in all. Clients balance load when they connect; without an age
 * they stay where they are, and a new server gets nothing to do. Owns one timer for both limits; ending is its host's.
 * gRFC A9.
 *
 * The age is spread by a tenth to either side, so that connections that came together do not leave together.
 */
import { connectionFault, ErrorCode, type Fault } from "../transport/http2.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";

export interface LifetimeOptions {
  readonly maxConnectionIdleMs: number;
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
}

export interface LifetimeHost {
  readonly streamCount: number;
  /** Changes whenever a call begins. */
  readonly activity: number;
  /** Debug data of the GOAWAY. */
  drain(reason: string): void;
  close(fault: Fault): void;
}

/** The calls of an old connection had their grace. */
export const MAX_AGE_GRACE_OVER: Fault = connectionFault(ErrorCode.NO_ERROR, "max-age-grace-over");

const NEVER = Number.POSITIVE_INFINITY;
const AGE_SPREAD = 0.1;

export class ConnectionLifetime extends WheelTimer {
  private readonly options: LifetimeOptions;
  private readonly host: LifetimeHost;
  private idleCheckMs = NEVER;
  private ageMs = NEVER;
  private graceOverMs = NEVER;
  /** The host's activity when the time without calls began. */
  private seenActivity = 0;
  private wasBusy = false;

  constructor(options: LifetimeOptions, host: LifetimeHost) {
    super();
    this.options = options;
    this.host = host;
  }

  /** `spread`, from 0 to 1, says where in its range the age lies. */
  start(nowMs: number, spread: number): void {
    const { maxConnectionIdleMs, maxConnectionAgeMs } = this.options;
    this.idleCheckMs = nowMs + maxConnectionIdleMs;
    this.ageMs = nowMs + maxConnectionAgeMs * (1 - AGE_SPREAD + 2 * AGE_SPREAD * spread);
    this.armNext();
  }

  stop(): void {
    timerWheel.disarm(this);
  }

  override onTimer(nowMs: number): void {
    if (nowMs >= this.graceOverMs) {
      this.host.close(MAX_AGE_GRACE_OVER);
      return;
    }
    if (nowMs >= this.ageMs) this.endByAge(nowMs);
    else if (nowMs >= this.idleCheckMs) this.checkIdle(nowMs);
    this.armNext();
  }

  private endByAge(nowMs: number): void {
    this.ageMs = NEVER;
    this.idleCheckMs = NEVER;
    this.graceOverMs = nowMs + this.options.maxConnectionAgeGraceMs;
    this.host.drain("max_age");
  }

  /** What was used since the last look gets another round. */
  private checkIdle(nowMs: number): void {
    const { host } = this;
    const isBusy = host.streamCount > 0;
    if (isBusy || this.wasBusy || host.activity !== this.seenActivity) {
      this.seenActivity = host.activity;
      this.wasBusy = isBusy;
      this.idleCheckMs = nowMs + this.options.maxConnectionIdleMs;
      return;
    }
    this.idleCheckMs = NEVER;
    host.drain("max_idle");
  }

  private armNext(): void {
    timerWheel.arm(this, Math.min(this.idleCheckMs, this.ageMs, this.graceOverMs));
  }
}
