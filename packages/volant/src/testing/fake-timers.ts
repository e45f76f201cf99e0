/**
 * The timers and clocks of Node on virtual time: `setTimeout`, `setInterval`, `Date`, `performance.now`, also by way of
 * `node:timers` and `node:timers/promises`. Owns replacing them and putting them back; when time moves is up to its caller.
 *
 * Made here, and not with the mocks of one test runner, so that it works under all of them.
 */
import { syncBuiltinESMExports } from "node:module";
import timersModule from "node:timers";
import promisesModule from "node:timers/promises";
import { promisify } from "node:util";
import { realTime, replaceTime, type TimeSource } from "../transport/time.ts";
import { type ClockTask, FakeClock } from "./fake-clock.ts";

/** The least that Node's timers wait. */
const LEAST_MS = 1;

type Callback = (...args: unknown[]) => void;

class FakeTimeout {
  task: ClockTask | undefined = undefined;
  private readonly timers: FakeTimers;
  private readonly run: () => void;
  private readonly delayMs: number;
  private readonly repeats: boolean;
  private isReferenced = true;

  constructor(timers: FakeTimers, run: () => void, delayMs: unknown, repeats: boolean) {
    this.timers = timers;
    this.run = run;
    this.delayMs = Math.max(LEAST_MS, Number(delayMs) || 0);
    this.repeats = repeats;
    this.refresh();
  }

  refresh(): this {
    const { clock } = this.timers;
    if (this.task !== undefined) clock.cancel(this.task);
    this.task = clock.schedule(clock.nowMs + this.delayMs, () => {
      this.task = undefined;
      if (this.repeats) this.refresh();
      this.run();
    });
    return this;
  }

  close(): this {
    this.timers.clear(this);
    return this;
  }

  ref(): this {
    this.isReferenced = true;
    return this;
  }

  unref(): this {
    this.isReferenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.isReferenced;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export class FakeTimers {
  readonly clock: FakeClock;
  private readonly restorers: (() => void)[] = [];
  private readonly epochMs: number;
  private readonly startMs: number;

  /** From now on time stands still, at `startMs` of `performance.now()`. */
  constructor(startMs: number) {
    this.clock = new FakeClock(startMs);
    this.startMs = startMs;
    this.epochMs = Date.now();
    const previous = replaceTime(this.source());
    this.restorers.push(() => replaceTime(previous));
    this.replaceTimers();
    this.replace(globalThis, "Date", this.dateClass());
    this.replace(performance, "now", () => this.clock.nowMs);
    syncBuiltinESMExports();
  }

  /** Everything is real again. What was set on virtual time never comes. */
  restore(): void {
    for (const restore of this.restorers.splice(0).reverse()) restore();
    syncBuiltinESMExports();
  }

  clear(timer: unknown): void {
    if (!(timer instanceof FakeTimeout)) {
      // It was set before time stood still.
      realTime.clearTimeout(timer as NodeJS.Timeout | undefined);
      return;
    }
    if (timer.task !== undefined) this.clock.cancel(timer.task);
    timer.task = undefined;
  }

  private replaceTimers(): void {
    const setTimeout = (run: Callback, delayMs?: unknown, ...args: unknown[]): FakeTimeout =>
      new FakeTimeout(this, () => run(...args), delayMs, false);
    const setInterval = (run: Callback, everyMs?: unknown, ...args: unknown[]): FakeTimeout =>
      new FakeTimeout(this, () => run(...args), everyMs, true);
    const wait = (delayMs?: number, value?: unknown, options?: { signal?: AbortSignal }): Promise<unknown> =>
      this.wait(delayMs, value, options);
    const clear = (timer: unknown): void => this.clear(timer);
    Object.defineProperty(setTimeout, promisify.custom, { value: wait });
    for (const owner of [globalThis, timersModule]) {
      this.replace(owner, "setTimeout", setTimeout);
      this.replace(owner, "setInterval", setInterval);
      this.replace(owner, "clearTimeout", clear);
      this.replace(owner, "clearInterval", clear);
    }
    this.replace(promisesModule, "setTimeout", wait);
  }

  /** `setTimeout` of `node:timers/promises`. */
  private wait(delayMs: unknown, value: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.clear(timer);
        reject(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR" }));
      };
      const timer = new FakeTimeout(
        this,
        () => {
          signal?.removeEventListener("abort", abort);
          resolve(value);
        },
        delayMs,
        false,
      );
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort);
    });
  }

  private source(): TimeSource {
    const set = (run: () => void, delayMs: number, repeats: boolean): NodeJS.Timeout =>
      new FakeTimeout(this, run, delayMs, repeats) as unknown as NodeJS.Timeout;
    return {
      monotonicMs: () => this.clock.nowMs,
      setTimeout: (run, delayMs) => set(run, delayMs, false),
      clearTimeout: (timer) => this.clear(timer),
      setInterval: (run, everyMs) => set(run, everyMs, true),
      clearInterval: (timer) => this.clear(timer),
    };
  }

  private dateClass(): DateConstructor {
    const now = (): number => this.epochMs + Math.floor(this.clock.nowMs - this.startMs);
    return new Proxy(Date, {
      construct: (target, args: unknown[], newTarget) =>
        Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
      apply: (target) => new target(now()).toString(),
      get: (target, property, receiver) => (property === "now" ? now : Reflect.get(target, property, receiver)),
    });
  }

  private replace(owner: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true, enumerable: true });
    this.restorers.push(() => {
      if (before === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, before);
    });
  }
}
