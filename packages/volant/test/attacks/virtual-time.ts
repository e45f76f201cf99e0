/**
 * Virtual time for everything above the core: the wheel and the library's clock follow a fake one, the event loop stays
 * real. Owns the switch there and back; hours pass in moments, and nothing depends on how fast the machine is.
 */
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { realTime, replaceTime } from "../../src/transport/time.ts";
import { timerWheel } from "../../src/transport/timer-wheel.ts";
import { untilArrived } from "./under-way.ts";

/** Turns of the event loop after which nothing that was sent in memory is under way any more. */
const TURNS = 12;

/** What is on real sockets is waited for besides. */
export async function turns(count: number = TURNS): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  await untilArrived();
}

export class VirtualTime {
  /** A whole number: sums of fractions are rounded, and what comes every five minutes would come a little too soon. */
  private readonly clock = new FakeClock(Math.ceil(realTime.monotonicMs()));

  /** Runs `play` on virtual time; everything that it armed on the wheel must be disarmed at its end. */
  static async run<T>(play: (time: VirtualTime) => Promise<T>): Promise<T> {
    const time = new VirtualTime();
    const { clock } = time;
    let wake = clock.schedule(Number.POSITIVE_INFINITY, () => undefined);
    const realClock = timerWheel.replaceClock({
      nowMs: () => clock.nowMs,
      set: (run, delayMs) => {
        clock.cancel(wake);
        wake = clock.schedule(clock.nowMs + delayMs, run);
      },
    });
    const real = replaceTime({ ...realTime, monotonicMs: () => clock.nowMs });
    try {
      return await play(time);
    } finally {
      replaceTime(real);
      timerWheel.replaceClock(realClock);
    }
  }

  /** Moves on, a step at a time; before and after each what is under way arrives, and then `afterStep` runs. */
  async pass(ms: number, stepMs: number = ms, afterStep: () => unknown = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await turns();
      this.clock.advance(stepMs);
      await turns();
      await afterStep();
    }
  }

  /** Work that takes that long: time moves on within a turn of the loop. */
  spend(ms: number): void {
    this.clock.advance(ms);
  }

  /** Seconds until `isOver`, looked at every second, at most `limit`. */
  async secondsUntil(
    isOver: () => boolean,
    limit: number,
    everySecond: () => unknown = () => undefined,
  ): Promise<number> {
    let seconds = 0;
    for (; seconds < limit && !isOver(); seconds++) {
      await everySecond();
      await this.pass(1_000);
    }
    return seconds;
  }
}
