/**
 * One timer for every deadline of the process: a hashed wheel of intrusive lists. Buys: a call with a deadline costs two
 * pointer writes to arm and two to disarm, where `setTimeout` costs an object and a heap. Resolution 4 ms; a timer never
 * fires early.
 *
 * The one underlying Node timer is armed only for the next slot in use, and keeps the process alive only while some
 * entry asks for it.
 */

const SLOT_MS = 4;
const SLOTS = 1024;

/** What a user of the wheel embeds or extends. */
export abstract class WheelTimer {
  /** On the scale of `performance.now()`; Infinity while it is not armed. */
  dueMs = Number.POSITIVE_INFINITY;
  next: WheelTimer | undefined = undefined;
  previous: WheelTimer | undefined = undefined;
  slot = -1;
  abstract onTimer(nowMs: number): void;
}

export class TimerWheel {
  private readonly slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
  private count = 0;
  /** Every slot up to this tick has been visited. */
  private tick = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerTick = Number.POSITIVE_INFINITY;

  /** Arms, or moves, `timer` to `dueMs`. Infinity disarms it. */
  arm(timer: WheelTimer, dueMs: number): void {
    if (timer.slot >= 0) this.unlink(timer);
    timer.dueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (this.count === 0) this.tick = Math.floor(performance.now() / SLOT_MS);
    const dueTick = Math.max(Math.ceil(dueMs / SLOT_MS), this.tick + 1);
    const slot = dueTick % SLOTS;
    const head = this.slots[slot];
    timer.slot = slot;
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.slots[slot] = timer;
    this.count++;
    if (dueTick < this.timerTick) this.schedule(dueTick);
  }

  disarm(timer: WheelTimer): void {
    if (timer.slot >= 0) this.unlink(timer);
    timer.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Timers that are armed; a test asserts 0. */
  get size(): number {
    return this.count;
  }

  private unlink(timer: WheelTimer): void {
    if (timer.previous === undefined) this.slots[timer.slot] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.slot = -1;
    this.count--;
    if (this.count === 0) this.stop();
  }

  private schedule(tick: number): void {
    clearTimeout(this.timer);
    this.timerTick = tick;
    const delay = Math.max(1, Math.ceil(tick * SLOT_MS - performance.now()));
    this.timer = setTimeout(this.onTick, delay);
    // Connections and calls keep the process alive by their sockets; a timer alone must not.
    this.timer.unref();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerTick = Number.POSITIVE_INFINITY;
  }

  private readonly onTick = (): void => {
    this.stop();
    const nowMs = performance.now();
    const nowTick = Math.floor(nowMs / SLOT_MS);
    const from = Math.max(this.tick + 1, nowTick - SLOTS + 1);
    this.tick = nowTick;
    for (let tick = from; tick <= nowTick; tick++) this.fireSlot(tick % SLOTS, nowMs);
    if (this.count > 0 && this.timer === undefined) this.scheduleNext();
  };

  private fireSlot(slot: number, nowMs: number): void {
    let timer = this.slots[slot];
    while (timer !== undefined) {
      // A handler may disarm or arm any timer: start over from the head after each one that fired.
      if (timer.dueMs > nowMs) {
        timer = timer.next;
        continue;
      }
      this.disarm(timer);
      timer.onTimer(nowMs);
      timer = this.slots[slot];
    }
  }

  /** Entries of later rounds may sit in the next used slot too; visiting it early is harmless. */
  private scheduleNext(): void {
    for (let step = 1; step <= SLOTS; step++) {
      if (this.slots[(this.tick + step) % SLOTS] !== undefined) {
        this.schedule(this.tick + step);
        return;
      }
    }
  }
}

/** The wheel of this process. */
export const timerWheel: TimerWheel = new TimerWheel();
