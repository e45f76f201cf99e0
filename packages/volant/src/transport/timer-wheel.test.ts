import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecordingTimer } from "../../test/transport/support/recording-timer.ts";
import { type ClockTask, FakeClock } from "../testing/fake-clock.ts";
import { TimerWheel, type WheelClock } from "./timer-wheel.ts";

/** Virtual time that can wake late, as a busy event loop does. */
class TestClock implements WheelClock {
  readonly time: FakeClock = new FakeClock(1_000);
  wakes = 0;
  /** How late the event loop is. */
  lateMs = 0;
  private task: ClockTask | undefined;

  nowMs(): number {
    return this.time.nowMs + this.lateMs;
  }

  set(run: () => void, delayMs: number): void {
    assert.ok(delayMs >= 1 && delayMs < 2 ** 31, `a delay that Node's timers can wait: ${delayMs}`);
    if (this.task !== undefined) this.time.cancel(this.task);
    this.task = this.time.schedule(this.time.nowMs + delayMs, () => {
      this.wakes++;
      run();
    });
  }
}

function setUp(): { clock: TestClock; wheel: TimerWheel } {
  const clock = new TestClock();
  return { clock, wheel: new TimerWheel(clock) };
}

test("a timer fires once, not before it is due and less than two slots after", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer();
  wheel.arm(timer, 1_010.5);
  clock.time.advance(10.4);
  assert.deepEqual(timer.firedMs, []);
  clock.time.advance(8);
  assert.equal(timer.firedMs.length, 1);
  assert.ok(timer.firedMs[0]! >= 1_010.5);
  assert.equal(timer.dueMs, Number.POSITIVE_INFINITY);
  assert.equal(wheel.size, 0);
  clock.time.advance(100_000);
  assert.equal(timer.firedMs.length, 1);
});

test("a deadline of several rounds fires in its own round", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer();
  wheel.arm(timer, 1_000 + 20_000);
  clock.time.advance(19_999);
  assert.deepEqual(timer.firedMs, []);
  clock.time.advance(10);
  assert.equal(timer.firedMs.length, 1);
});

test("a deadline in the far future is waited for in steps that a timer can take, and wakes the process seldom", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer();
  wheel.arm(timer, 99_999_999 * 3_600_000);
  clock.time.advance(60_000);
  assert.deepEqual(timer.firedMs, []);
  assert.ok(clock.wakes <= 15, `${clock.wakes} wakes in a minute`);
  wheel.disarm(timer);
});

test("a due time in the past fires in the next visit", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer();
  wheel.arm(timer, 5);
  clock.time.advance(8);
  assert.equal(timer.firedMs.length, 1);
});

test("arming again moves a timer, and infinity disarms it", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer();
  wheel.arm(timer, 1_020);
  wheel.arm(timer, 1_100);
  assert.equal(wheel.size, 1);
  clock.time.advance(50);
  assert.deepEqual(timer.firedMs, []);
  wheel.arm(timer, Number.POSITIVE_INFINITY);
  assert.equal(wheel.size, 0);
  clock.time.advance(1_000);
  assert.deepEqual(timer.firedMs, []);
});

test("an earlier timer is not held up by a later one that was armed first", () => {
  const { clock, wheel } = setUp();
  const late = new RecordingTimer();
  const early = new RecordingTimer();
  wheel.arm(late, 3_000);
  wheel.arm(early, 1_012);
  clock.time.advance(20);
  assert.equal(early.firedMs.length, 1);
  assert.equal(late.firedMs.length, 0);
  wheel.disarm(late);
});

test("a handler that arms itself far ahead does not delay the others", () => {
  const { clock, wheel } = setUp();
  const far = new RecordingTimer((timer, nowMs) => wheel.arm(timer, nowMs + 7_200_000));
  const near = new RecordingTimer();
  wheel.arm(far, 1_010);
  wheel.arm(near, 1_200);
  clock.time.advance(208);
  assert.equal(far.firedMs.length, 1);
  assert.equal(near.firedMs.length, 1);
  wheel.disarm(far);
});

test("a handler can arm itself again at once without firing twice in one visit", () => {
  const { clock, wheel } = setUp();
  const timer = new RecordingTimer((self, nowMs) => {
    if (self.firedMs.length < 5) wheel.arm(self, nowMs);
  });
  wheel.arm(timer, 1_004);
  clock.time.advance(100);
  assert.equal(timer.firedMs.length, 5);
  assert.equal(new Set(timer.firedMs).size, 5);
});

test("a handler can disarm timers of its own slot, the next one among them", () => {
  const { clock, wheel } = setUp();
  const timers: RecordingTimer[] = [];
  const disarmOthers = (self: RecordingTimer): void => {
    for (const timer of timers) if (timer !== self) wheel.disarm(timer);
  };
  for (let at = 0; at < 5; at++) timers.push(new RecordingTimer(disarmOthers));
  for (const timer of timers) wheel.arm(timer, 1_010);
  clock.time.advance(100);
  assert.equal(timers.filter((timer) => timer.firedMs.length === 1).length, 1);
  assert.equal(wheel.size, 0);
});

test("a handler that disarms only the next timer of its slot does not keep the rest from firing", () => {
  const { clock, wheel } = setUp();
  const rest = [new RecordingTimer(), new RecordingTimer()];
  const next = new RecordingTimer();
  const first = new RecordingTimer(() => wheel.disarm(next));
  // The one armed last stands first.
  for (const timer of [...rest, next, first]) wheel.arm(timer, 1_010);
  clock.time.advance(20);
  assert.deepEqual(
    [first, next, ...rest].map(({ firedMs }) => firedMs.length),
    [1, 0, 1, 1],
  );
});

test("a timer that throws does not hold up the others", () => {
  const uncaught: unknown[] = [];
  const clock = new TestClock();
  const wheel = new TimerWheel(clock, (error) => uncaught.push(error));
  const bad = new RecordingTimer(() => {
    throw new Error("bad timer");
  });
  const good = new RecordingTimer();
  const later = new RecordingTimer();
  wheel.arm(good, 1_010);
  wheel.arm(bad, 1_010);
  wheel.arm(later, 1_500);
  clock.time.advance(600);
  assert.equal(good.firedMs.length + later.firedMs.length, 2);
  assert.deepEqual(uncaught.map(String), ["Error: bad timer"]);
});

test("an event loop that was blocked for many rounds still fires everything that is due, and nothing that is not", () => {
  const { clock, wheel } = setUp();
  const due = [5, 900, 4_000, 4_100, 9_000, 30_000].map((ms) => ({ ms, timer: new RecordingTimer() }));
  for (const { ms, timer } of due) wheel.arm(timer, 1_000 + ms);
  clock.lateMs = 10_000;
  clock.time.runNext();
  assert.deepEqual(
    due.map(({ timer }) => timer.firedMs.length),
    [1, 1, 1, 1, 1, 0],
  );
  wheel.disarm(due[5]!.timer);
  assert.equal(wheel.size, 0);
});

test("whatever is armed, moved and disarmed, a timer never fires early, never late and never twice", () => {
  const step = fc.record({
    timer: fc.nat(19),
    act: fc.constantFrom("arm", "arm", "arm", "disarm", "advance"),
    ms: fc.oneof(fc.nat(20), fc.nat(10_000), fc.nat(200_000)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { clock, wheel } = setUp();
      const due = new Map<RecordingTimer, number>();
      const timers = Array.from(
        { length: 20 },
        () =>
          new RecordingTimer((timer, nowMs) => {
            const dueMs = due.get(timer);
            assert.ok(dueMs !== undefined, "it was armed");
            assert.ok(nowMs >= dueMs && nowMs < dueMs + 12, `due ${dueMs}, fired ${nowMs}`);
            due.delete(timer);
          }),
      );
      for (const { timer: index, act, ms } of steps) {
        const timer = timers[index]!;
        if (act === "advance") clock.time.advance(ms);
        else if (act === "disarm") {
          wheel.disarm(timer);
          due.delete(timer);
        } else {
          wheel.arm(timer, clock.time.nowMs + ms);
          due.set(timer, clock.time.nowMs + ms);
        }
        assert.equal(wheel.size, due.size);
      }
      clock.time.advance(300_000);
      assert.equal(wheel.size, 0);
    }),
    { numRuns: 200 },
  );
});
