/**
 * Keeps the process alive where nothing else does: a socket that is not read is nothing to wait for, in Node's eyes, nor is
 * a wire in memory.
 */
import { realTime } from "./time.ts";

/** The longest interval there is. */
const HOLD_MS = 0x7fff_ffff;

export class ProcessHold {
  private timer: NodeJS.Timeout | undefined;

  /** May be repeated. */
  set(isHeld: boolean): void {
    if (isHeld) this.timer ??= realTime.setInterval(() => undefined, HOLD_MS);
    else {
      realTime.clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}
