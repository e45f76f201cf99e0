/**
 * One timer for every deadline of the process: a hashed wheel of intrusive lists. Buys: a call with a deadline costs two
 * pointer writes to arm and two to disarm, where `setTimeout` costs an object and a heap. Resolution 4 ms; a timer never
 * fires early.
 *
 * Owns the one underlying Node timer, which is set for the earliest entry, at most one round ahead, and never keeps the
 * process alive. Must not know what its entries are for; one that throws does not hold up the others.
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

/** Where the wheel gets its time from. */
export interface WheelClock {
  nowMs(): number;
  /** Calls `run` once, `delayMs` from now, in place of what was set before. */
  set(run: () => void, delayMs: number): void;
}

export class SystemClock implements WheelClock {
  private timer: NodeJS.Timeout | undefined;

  nowMs(): number {
    return performance.now();
  }

  set(run: () => void, delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(run, delayMs);
    // Connections and calls keep the process alive by their sockets; a timer alone must not.
    this.timer.unref();
  }
}

export class TimerWheel {
  private clock: WheelClock;
  private readonly slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
  private count = 0;
  /** Every slot up to this tick has been visited. */
  private tick = 0;
  /** The tick that the clock is set for. */
  private wakeTick = Number.POSITIVE_INFINITY;
  /** The entry that is visited next while a slot is fired; whoever unlinks it moves this on. */
  private cursor: WheelTimer | undefined = undefined;

  constructor(clock: WheelClock = new SystemClock()) {
    this.clock = clock;
  }

  /** Arms, or moves, `timer` to `dueMs`. Infinity disarms it. */
  arm(timer: WheelTimer, dueMs: number): void {
    if (timer.slot >= 0) this.unlink(timer);
    timer.dueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (this.count === 0) this.tick = Math.floor(this.clock.nowMs() / SLOT_MS);
    const dueTick = Math.max(Math.ceil(dueMs / SLOT_MS), this.tick + 1);
    const slot = dueTick % SLOTS;
    const head = this.slots[slot];
    timer.slot = slot;
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.slots[slot] = timer;
    this.count++;
    this.wakeAt(dueTick);
  }

  disarm(timer: WheelTimer): void {
    if (timer.slot >= 0) this.unlink(timer);
    timer.dueMs = Number.POSITIVE_INFINITY;
  }

  /** For tests on virtual time. What is armed keeps its due time, now on the scale of this clock; the result is the one there was. */
  replaceClock(clock: WheelClock): WheelClock {
    const previous = this.clock;
    const armed = this.armedTimers();
    for (const timer of armed) this.unlink(timer);
    this.clock = clock;
    this.wakeTick = Number.POSITIVE_INFINITY;
    for (const timer of armed) this.arm(timer, timer.dueMs);
    return previous;
  }

  /** Timers that are armed; a test asserts 0. */
  get size(): number {
    return this.count;
  }

  private unlink(timer: WheelTimer): void {
    if (timer === this.cursor) this.cursor = timer.next;
    if (timer.previous === undefined) this.slots[timer.slot] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.slot = -1;
    this.count--;
    // The clock stays set: a wake for nothing once in a while is cheaper than setting it anew for every call.
  }

  private armedTimers(): WheelTimer[] {
    const armed: WheelTimer[] = [];
    for (const head of this.slots) for (let timer = head; timer !== undefined; timer = timer.next) armed.push(timer);
    return armed;
  }

  /** At most one round ahead: what is later is found again then, and Node's timers cannot wait longer than 2^31 ms. */
  private wakeAt(dueTick: number): void {
    const tick = Math.min(dueTick, this.tick + SLOTS);
    if (tick >= this.wakeTick) return;
    this.wakeTick = tick;
    this.clock.set(this.onWake, Math.max(1, Math.ceil(tick * SLOT_MS - this.clock.nowMs())));
  }

  private readonly onWake = (): void => {
    this.wakeTick = Number.POSITIVE_INFINITY;
    const nowMs = this.clock.nowMs();
    const nowTick = Math.floor(nowMs / SLOT_MS);
    const from = Math.max(this.tick + 1, nowTick - SLOTS + 1);
    // First, so that what a handler arms goes behind the slots of this visit.
    this.tick = Math.max(this.tick, nowTick);
    for (let tick = from; tick <= nowTick; tick++) this.fireSlot(tick % SLOTS, nowMs);
    if (this.count > 0) this.wakeAt(this.nextDueTick());
  };

  private fireSlot(slot: number, nowMs: number): void {
    let timer = this.slots[slot];
    while (timer !== undefined) {
      this.cursor = timer.next;
      if (timer.dueMs <= nowMs) {
        this.disarm(timer);
        fire(timer, nowMs);
      }
      timer = this.cursor;
    }
  }

  /** The first tick of this round at which something is due, or the end of the round. */
  private nextDueTick(): number {
    const last = this.tick + SLOTS;
    for (let tick = this.tick + 1; tick < last; tick++) {
      for (let timer = this.slots[tick % SLOTS]; timer !== undefined; timer = timer.next) {
        if (timer.dueMs <= tick * SLOT_MS) return tick;
      }
    }
    return last;
  }
}

function fire(timer: WheelTimer, nowMs: number): void {
  try {
    timer.onTimer(nowMs);
  } catch (error) {
    // Uncaught, as it would be from a timer of its own.
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The wheel of this process. */
export const timerWheel: TimerWheel = new TimerWheel();
