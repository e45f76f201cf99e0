/** Waiting that ends: for a time, or until a signal fires. Owns neither the work nor its outcome. */
import { createAbortError } from "./storage-error.ts";

/** Whether the work settled in time. Rejects with what it rejects with; a failure after the time is nobody's. */
export async function settlesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  if (limitMs === Number.POSITIVE_INFINITY) {
    await work;
    return true;
  }
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), Math.max(0, limitMs));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The outcome of the work, or an AbortError as soon as the signal fires: the work goes on by itself then. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(createAbortError(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
