/**
 * One timer for every deadline of the process: two wheels of intrusive lists. Buys: a call with a deadline costs two
 * pointer writes to arm and two to disarm, where `setTimeout` costs an object and a heap. Resolution 4 ms; a timer never
 * fires early.
 *
 * A slot of the near wheel is a tick of 4 ms, one of the far wheel a block of 1024 ticks, about 4 s; its 1024 blocks are
 * 70 minutes. A block is spread over the near wheel when its first tick comes. What is due beyond the far wheel waits in
 * the last block and is placed anew from there, so that a wake looks at what is due in the ticks and blocks that passed,
 * whatever else is armed.
 *
 * Owns the one underlying Node timer, which is set for the next tick or block that holds something and never keeps the
 * process alive. Must not know what its entries are for; one that throws does not hold up the others. Invariant: the near
 * wheel holds what is due less than 1024 ticks from now, the far wheel only blocks that have not begun.
 */

import { RING_SLOTS, SlotBits } from "./slot-bits.ts";
import { clearTimeout, monotonicMs, queueMicrotask, setTimeout } from "./time.ts";

const SLOT_MS = 4;
const NEAR = 0;
const FAR = 1;

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
    return monotonicMs();
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
  private readonly onDefect: (error: unknown) => void;
  /** The lists of the near wheel, then those of the far one. */
  private readonly slots: (WheelTimer | undefined)[] = new Array(2 * RING_SLOTS).fill(undefined);
  private readonly occupied: SlotBits = new SlotBits(2);
  private count = 0;
  /** Every tick up to this one has been visited, and every block up to its own is spread. */
  private tick = 0;
  /** The tick that the clock is set for. */
  private wakeTick = Number.POSITIVE_INFINITY;
  /** The entry that is visited next while a slot is fired; whoever unlinks it moves this on. */
  private cursor: WheelTimer | undefined = undefined;

  /** `onDefect` gets what a timer throws; by default it is uncaught, as it would be from a timer of its own. */
  constructor(clock: WheelClock = new SystemClock(), onDefect: (error: unknown) => void = throwLater) {
    this.clock = clock;
    this.onDefect = onDefect;
  }

  /** Arms, or moves, `timer` to `dueMs`. Infinity disarms it. */
  arm(timer: WheelTimer, dueMs: number): void {
    if (timer.slot >= 0) this.unlink(timer);
    timer.dueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (this.count === 0) this.tick = Math.floor(this.clock.nowMs() / SLOT_MS);
    this.count++;
    this.wakeAt(this.place(timer, this.tick + 1));
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

  /** Puts `timer` where it is due, but not before `earliestTick`; the result is the tick at which the wheel must wake for it. */
  private place(timer: WheelTimer, earliestTick: number): number {
    const dueTick = Math.max(Math.ceil(timer.dueMs / SLOT_MS), earliestTick);
    if (dueTick - this.tick < RING_SLOTS) {
      this.link(timer, dueTick % RING_SLOTS);
      return dueTick;
    }
    const block = Math.min(blockOf(dueTick), blockOf(this.tick) + RING_SLOTS - 1);
    this.link(timer, farSlot(block));
    return block * RING_SLOTS;
  }

  private link(timer: WheelTimer, slot: number): void {
    const head = this.slots[slot];
    timer.slot = slot;
    timer.next = head;
    timer.previous = undefined;
    if (head === undefined) this.occupied.add(slot);
    else head.previous = timer;
    this.slots[slot] = timer;
  }

  private unlink(timer: WheelTimer): void {
    if (timer === this.cursor) this.cursor = timer.next;
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else {
      this.slots[timer.slot] = timer.next;
      if (timer.next === undefined) this.occupied.remove(timer.slot);
    }
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

  private wakeAt(tick: number): void {
    if (tick >= this.wakeTick) return;
    this.wakeTick = tick;
    this.clock.set(this.onWake, Math.max(1, Math.ceil(tick * SLOT_MS - this.clock.nowMs())));
  }

  private readonly onWake = (): void => {
    this.wakeTick = Number.POSITIVE_INFINITY;
    const nowMs = this.clock.nowMs();
    const nowTick = Math.floor(nowMs / SLOT_MS);
    const nowBlock = blockOf(nowTick);
    const fromTick = Math.max(this.tick + 1, nowTick - RING_SLOTS + 1);
    const fromBlock = Math.max(blockOf(this.tick) + 1, nowBlock - RING_SLOTS + 1);
    // First, so that what a handler arms goes behind the slots of this visit.
    this.tick = Math.max(this.tick, nowTick);
    for (let block = fromBlock; block <= nowBlock; block++) this.spread(farSlot(block));
    for (let tick = fromTick; tick <= nowTick; tick++) this.fireSlot(tick % RING_SLOTS, nowMs);
    if (this.count > 0) this.wakeAt(this.nextTick());
  };

  /** What is due already goes to the present tick, which this visit comes to last. */
  private spread(slot: number): void {
    let timer = this.slots[slot];
    this.slots[slot] = undefined;
    this.occupied.remove(slot);
    while (timer !== undefined) {
      const next: WheelTimer | undefined = timer.next;
      this.place(timer, this.tick);
      timer = next;
    }
  }

  private fireSlot(slot: number, nowMs: number): void {
    let timer = this.slots[slot];
    while (timer !== undefined) {
      this.cursor = timer.next;
      // A handler of this visit may have armed a timer for the next time that this slot comes.
      if (timer.dueMs <= nowMs) {
        this.disarm(timer);
        this.fire(timer, nowMs);
      }
      timer = this.cursor;
    }
  }

  /** One that throws does not hold up the others. */
  private fire(timer: WheelTimer, nowMs: number): void {
    try {
      timer.onTimer(nowMs);
    } catch (error) {
      this.onDefect(error);
    }
  }

  /** The next tick at which something is due or a block begins that holds something. */
  private nextTick(): number {
    const block = blockOf(this.tick);
    const dueTick = this.tick + this.occupied.stepsToNext(NEAR, this.tick % RING_SLOTS);
    const dueBlock = block + this.occupied.stepsToNext(FAR, block % RING_SLOTS);
    return Math.min(dueTick, dueBlock * RING_SLOTS);
  }
}

/** Not a shift: after 99 days a tick has more than 32 bits. */
function blockOf(tick: number): number {
  return Math.floor(tick / RING_SLOTS);
}

function farSlot(block: number): number {
  return FAR * RING_SLOTS + (block % RING_SLOTS);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The wheel of this process. */
export const timerWheel: TimerWheel = new TimerWheel();
