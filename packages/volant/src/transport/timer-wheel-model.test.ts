/**
 * The wheel against a model, over spans of both of its rings and beyond, and what it costs: wakes and looks at timers are
 * counted, not timed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecordingTimer } from "../../test/transport/support/recording-timer.ts";
import { TimerWheel, type WheelClock, WheelTimer } from "./timer-wheel.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A slot of the far wheel. */
const BLOCK = 4_096;
/** It fires at the end of the slot that it is due in, and a timer of the loop counts in whole milliseconds. */
const LATEST_MS = 5;

/** An event loop whose time can pass without a turn of it; it comes to its timer as soon as it turns again. */
class LoopClock implements WheelClock {
  now = 1_000;
  wakes = 0;
  blocked = false;
  private dueMs = Number.POSITIVE_INFINITY;
  private run: () => void = () => undefined;

  nowMs(): number {
    return this.now;
  }

  set(run: () => void, delayMs: number): void {
    assert.ok(delayMs >= 1 && delayMs < 2 ** 31, `a delay that Node's timers can wait: ${delayMs}`);
    this.run = run;
    this.dueMs = this.now + delayMs;
  }

  advance(ms: number): void {
    const until = this.now + ms;
    while (this.dueMs <= until) {
      this.now = this.dueMs;
      this.turn();
    }
    this.now = until;
  }

  block(ms: number): void {
    this.now += ms;
    this.blocked = true;
    if (this.dueMs <= this.now) this.turn();
    this.blocked = false;
  }

  private turn(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    this.wakes++;
    this.run();
  }
}

/** Counts how often its due time is looked at. */
class Watched extends WheelTimer {
  reads = 0;
  fired = 0;

  constructor() {
    super();
    let { dueMs } = this;
    Object.defineProperty(this, "dueMs", {
      get: () => {
        this.reads++;
        return dueMs;
      },
      set: (value: number) => {
        dueMs = value;
      },
    });
  }

  onTimer(): void {
    this.fired++;
  }
}

function setUp(): { clock: LoopClock; wheel: TimerWheel } {
  const clock = new LoopClock();
  return { clock, wheel: new TimerWheel(clock) };
}

/** Spans from within a slot to beyond the far wheel, whole and broken, those at the edges of both wheels among them. */
const span = fc.oneof(
  fc.nat(20),
  fc.integer({ min: BLOCK - 20, max: BLOCK + 20 }),
  fc.nat(30 * SECOND),
  fc.integer({ min: 1_022 * BLOCK, max: 1_025 * BLOCK }),
  fc.nat(3 * HOUR),
  fc.nat(5 * DAY),
  fc.double({ min: 0, max: MINUTE, noNaN: true }),
);

/** What a wheel should do, beside what it does. */
class Model {
  readonly clock: LoopClock = new LoopClock();
  readonly wheel: TimerWheel = new TimerWheel(this.clock);
  private readonly due = new Map<RecordingTimer, number>();

  arm(timer: RecordingTimer, dueMs: number): void {
    this.due.set(timer, dueMs);
    this.wheel.arm(timer, dueMs);
  }

  disarm(timer: RecordingTimer): void {
    this.due.delete(timer);
    this.wheel.disarm(timer);
  }

  fired(timer: RecordingTimer, nowMs: number): void {
    const dueMs = this.due.get(timer);
    assert.ok(dueMs !== undefined, "it was armed");
    assert.ok(nowMs >= dueMs, `due ${dueMs}, fired early, ${nowMs}`);
    assert.ok(this.clock.blocked || nowMs < dueMs + LATEST_MS, `due ${dueMs}, fired late, ${nowMs}`);
    this.due.delete(timer);
  }

  check(): void {
    const { now } = this.clock;
    for (const dueMs of this.due.values()) assert.ok(now < dueMs + LATEST_MS, `due ${dueMs}, not fired at ${now}`);
    assert.equal(this.wheel.size, this.due.size);
  }
}

test("from a moment to days ahead, and over a blocked loop, each timer fires once, never early and at most a slot late", () => {
  const step = fc.record({
    timer: fc.nat(29),
    act: fc.constantFrom("arm", "arm", "arm", "arm", "disarm", "advance", "block"),
    ms: span,
    // Due just when a block of the far wheel begins.
    atBlock: fc.boolean(),
    // What the timer does when it fires: it arms another one, or itself.
    reaction: fc.option(fc.record({ timer: fc.nat(29), ms: span }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const model = new Model();
      const reactions = new Map<RecordingTimer, (nowMs: number) => void>();
      const react = (timer: RecordingTimer, nowMs: number): void => {
        model.fired(timer, nowMs);
        const armNext = reactions.get(timer);
        reactions.delete(timer);
        armNext?.(nowMs);
      };
      const timers = Array.from({ length: 30 }, () => new RecordingTimer(react));
      for (const { timer: index, act, ms, atBlock, reaction } of steps) {
        const timer = timers[index]!;
        if (act === "advance") model.clock.advance(ms);
        else if (act === "block") model.clock.block(ms);
        else if (act === "disarm") model.disarm(timer);
        else {
          const dueMs = model.clock.now + ms;
          model.arm(timer, atBlock ? Math.ceil(dueMs / BLOCK) * BLOCK : dueMs);
          if (reaction !== undefined) {
            reactions.set(timer, (nowMs) => model.arm(timers[reaction.timer]!, nowMs + reaction.ms));
          }
        }
        model.check();
      }
      // What fires last may have armed another one, and that yet another.
      for (let left = timers.length; model.wheel.size > 0 && left >= 0; left--) model.clock.advance(6 * DAY);
      assert.equal(model.wheel.size, 0);
    }),
    { numRuns: 300 },
  );
});

test("the work of a wake does not depend on what is armed far ahead", () => {
  const { clock, wheel } = setUp();
  const far = Array.from({ length: 10_000 }, () => new Watched());
  for (const [at, timer] of far.entries()) wheel.arm(timer, clock.now + BLOCK + 10 + ((at * 7_919) % (2 * HOUR)));
  for (const timer of far) timer.reads = 0;
  const near = new RecordingTimer((timer, nowMs) => wheel.arm(timer, nowMs + 4));
  wheel.arm(near, clock.now + 4);
  while (near.firedMs.length < 100) clock.advance(4);
  const reads = far.reduce((sum, timer) => sum + timer.reads, 0);
  assert.equal(reads, 0, `${reads} looks at timers that were not due`);
  wheel.disarm(near);
  clock.advance(3 * HOUR);
  for (const timer of far) {
    assert.equal(timer.fired, 1);
    // In its block, in its slot, and once more from the end of the far wheel, or twice.
    assert.ok(timer.reads <= 4, `looked at ${timer.reads} times`);
  }
  assert.equal(wheel.size, 0);
});

test("a timer wakes the process when its block begins and when it is due, and not otherwise", () => {
  for (const ms of [BLOCK + 10, 30 * SECOND, HOUR]) {
    const { clock, wheel } = setUp();
    const timers = Array.from({ length: 100 }, () => new RecordingTimer());
    for (const timer of timers) wheel.arm(timer, clock.now + ms);
    clock.advance(2 * HOUR);
    assert.equal(wheel.size, 0);
    assert.ok(clock.wakes <= 2, `${clock.wakes} wakes for ${ms} ms`);
  }
});

test("what was disarmed or has fired leaves nothing behind that wakes the process", () => {
  const { clock, wheel } = setUp();
  const last = new RecordingTimer();
  wheel.arm(last, clock.now + DAY);
  for (let ms = 0; ms < HOUR; ms += 3 * SECOND) wheel.arm(new RecordingTimer(), clock.now + ms);
  clock.advance(HOUR + SECOND);
  assert.equal(wheel.size, 1);
  const disarmed = Array.from({ length: 1_000 }, () => new RecordingTimer());
  for (const [at, timer] of disarmed.entries()) wheel.arm(timer, clock.now + 10 + at * 3 * SECOND);
  for (const timer of disarmed) wheel.disarm(timer);
  clock.wakes = 0;
  clock.advance(DAY);
  assert.equal(last.firedMs.length, 1);
  // Once for each time that the far wheel went round, for the block, for the timer, and for the first of the disarmed.
  assert.ok(clock.wakes <= 24, `${clock.wakes} wakes`);
});

test("time that a new clock sets back or ahead keeps what is armed at its due time, near and far", () => {
  for (const startMs of [0, 5_000_000, 2 ** 35]) {
    const { clock: first, wheel } = setUp();
    const timers = [3, 5_000, 5 * HOUR].map((ms) => ({ dueMs: startMs + ms, timer: new RecordingTimer() }));
    for (const { timer, dueMs } of timers) wheel.arm(timer, dueMs);
    const clock = new LoopClock();
    clock.now = startMs;
    assert.equal(wheel.replaceClock(clock), first);
    clock.advance(6 * HOUR);
    for (const { timer, dueMs } of timers) {
      assert.equal(timer.firedMs.length, 1);
      assert.ok(timer.firedMs[0]! >= dueMs && timer.firedMs[0]! < dueMs + LATEST_MS, `${timer.firedMs} for ${dueMs}`);
    }
  }
});
