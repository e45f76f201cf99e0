/**
 * Time, timers and turns of the event loop, as Node gives them: taken when the library is loaded. Owns every clock and timer
 * of the library outside `testing/`; `npm run check` keeps the globals out of all other files.
 *
 * Test tools (node:test, sinon, Jest, Vitest) replace the globals. A connection whose turns are faked never flushes, and what
 * had been asked for meanwhile never comes, also after the fake is gone. So a fake of theirs reaches the code under test and
 * not the library; `useFakeClock` replaces the library's time on purpose, by {@link replaceTime}.
 */
import * as timers from "node:timers";

/** What {@link replaceTime} replaces. Turns of the event loop (`setImmediate`, microtasks) always stay real. */
export interface TimeSource {
  /** Monotonic, in milliseconds: the scale of `performance.now()`. */
  monotonicMs(): number;
  setTimeout(run: () => void, delayMs: number): NodeJS.Timeout;
  clearTimeout(timer: NodeJS.Timeout | undefined): void;
  setInterval(run: () => void, everyMs: number): NodeJS.Timeout;
  clearInterval(timer: NodeJS.Timeout | undefined): void;
}

// Copies: what is imported from a built-in module can be replaced behind its importers.
export const setImmediate: typeof timers.setImmediate = timers.setImmediate;
export const clearImmediate: typeof timers.clearImmediate = timers.clearImmediate;
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask.bind(globalThis);

export const realTime: TimeSource = Object.freeze({
  monotonicMs: performance.now.bind(performance),
  setTimeout: timers.setTimeout,
  clearTimeout: timers.clearTimeout,
  setInterval: timers.setInterval,
  clearInterval: timers.clearInterval,
});

let source: TimeSource = realTime;

/** For `useFakeClock`. The result is the source there was. */
export function replaceTime(next: TimeSource): TimeSource {
  const previous = source;
  source = next;
  return previous;
}

/** The scale of `performance.now()`. */
export function monotonicMs(): number {
  return source.monotonicMs();
}

export function setTimeout(run: () => void, delayMs: number): NodeJS.Timeout {
  return source.setTimeout(run, delayMs);
}

export function clearTimeout(timer: NodeJS.Timeout | undefined): void {
  source.clearTimeout(timer);
}

export function setInterval(run: () => void, everyMs: number): NodeJS.Timeout {
  return source.setInterval(run, everyMs);
}

export function clearInterval(timer: NodeJS.Timeout | undefined): void {
  source.clearInterval(timer);
}
