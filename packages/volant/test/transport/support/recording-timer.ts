/** A timer that writes down when it fired, and does what the test wants then. */
import { WheelTimer } from "../../../src/transport/timer-wheel.ts";

export class RecordingTimer extends WheelTimer {
  readonly firedMs: number[] = [];
  private readonly react: ((timer: RecordingTimer, nowMs: number) => void) | undefined;

  constructor(react?: (timer: RecordingTimer, nowMs: number) => void) {
    super();
    this.react = react;
  }

  onTimer(nowMs: number): void {
    this.firedMs.push(nowMs);
    this.react?.(this, nowMs);
  }
}
