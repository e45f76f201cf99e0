/**
 * Deadlines: the moment after which a call is over, on the monotonic scale of `performance.now()`.
 *
 * Must not know: any clock (both nows are arguments) and any timer.
 * Invariant: a deadline never moves later once the call has started, whatever the wall clock does; `Infinity` is none.
 * Spec: gRPC PROTOCOL-HTTP2 "Timeout"; gRPC deadlines guide.
 */
import { isDate } from "./foreign-values.ts";

/** Milliseconds on the monotonic scale; `NO_DEADLINE` when the call may take for ever. */
export type Deadline = number;

export const NO_DEADLINE: Deadline = Number.POSITIVE_INFINITY;

export interface DeadlineOptions {
  /** From now, in milliseconds, 0 or more. `Infinity` is no limit. */
  readonly timeoutMs?: number | undefined;
  /** A point of wall-clock time: a Date, or milliseconds since 1970. With `timeoutMs` too, the earlier one holds. */
  readonly deadline?: Date | number | undefined;
}

/**
 * The deadline of a call that starts now. Wall-clock time is converted once, here, so that later jumps of that clock do
 * not matter. A point in the past is accepted: the call ends at once.
 * Throws RangeError for a timeout that is negative or not a number, and for an invalid date.
 */
export function deadlineFrom(options: DeadlineOptions, nowMs: number, wallNowMs: number): Deadline {
  const { timeoutMs, deadline } = options;
  let result = NO_DEADLINE;
  if (timeoutMs !== undefined) result = nowMs + checkTimeout(timeoutMs);
  if (deadline !== undefined) result = earliest(result, nowMs + (checkMoment(deadline) - wallNowMs));
  return result;
}

export function earliest(a: Deadline, b: Deadline): Deadline {
  return a < b ? a : b;
}

/** What is left, never negative; `Infinity` without a deadline. */
export function remainingMs(deadline: Deadline, nowMs: number): number {
  return deadline > nowMs ? deadline - nowMs : 0;
}

function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs === "number" && timeoutMs >= 0) return timeoutMs;
  throw new RangeError(
    `timeoutMs is ${String(timeoutMs)} (${typeof timeoutMs}); it takes milliseconds from now, 0 or more; leave it out for none`,
  );
}

function checkMoment(deadline: Date | number): number {
  const epochMs = isDate(deadline) ? deadline.getTime() : deadline;
  if (typeof epochMs === "number" && !Number.isNaN(epochMs)) return epochMs;
  throw new RangeError(
    `deadline is ${String(deadline)}; it takes a valid Date or milliseconds since 1970; for a duration use timeoutMs`,
  );
}
