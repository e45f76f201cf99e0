/**
 * Flushes every connection that has output once at the end of the turn. Buys: one `setImmediate` and one write per
 * connection for all answers of a turn, instead of one each. A turn that takes longer than a millisecond is flushed
 * between two reads, so that a busy connection does not delay the answers of the others. Whoever else has to do something
 * once a turn shares the `setImmediate`.
 *
 * Invariant: what was queued is flushed, whatever another connection's flush does.
 */
import { monotonicMs, setImmediate } from "./time.ts";

export interface Flushable {
  flush(): void;
}

const MAX_WAIT_MS = 1;

let pending: Flushable[] = [];
let pendingSinceMs = 0;
const endings: (() => void)[] = [];
let isScheduled = false;
let taskMs = 0;

/** The caller makes sure that it is queued once. */
export function flushAtEndOfTurn(connection: Flushable): void {
  if (pending.length === 0) pendingSinceMs = monotonicMs();
  pending.push(connection);
  schedule();
}

/** Runs `ending`, which must not throw, once at the end of the turn, before what was queued is flushed. */
export function atEndOfTurn(ending: () => void): void {
  endings.push(ending);
  schedule();
}

/** To be called before the next piece of work of a turn. */
export function flushIfLate(nowMs: number): void {
  taskMs = nowMs;
  if (pending.length > 0 && nowMs - pendingSinceMs >= MAX_WAIT_MS) flushAll();
}

/** When the last piece of work began, on the scale of `performance.now()`. */
export function taskStartedMs(): number {
  return taskMs;
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(onEndOfTurn);
}

function onEndOfTurn(): void {
  isScheduled = false;
  for (let count = endings.length; count > 0; count--) endings.shift()!();
  flushAll();
}

/** Flushes what is queued, before the end of the turn. */
export function flushAll(): void {
  const connections = pending;
  pending = [];
  let at = 0;
  try {
    while (at < connections.length) connections[at++]!.flush();
  } finally {
    while (at < connections.length) flushAtEndOfTurn(connections[at++]!);
  }
}
