/**
 * Signals that are not this realm's `AbortSignal`: of a vm context or a test runner's sandbox, and of npm packages that stand
 * in for it. Owns what is asked of a signal and how such a one is listened to.
 *
 * The packages differ: some call functions only and no `handleEvent` object, some pass no event or one without
 * `currentTarget`, some know no options argument, some cannot remove a listener. So the listener is a function that looks at
 * nothing, and does nothing once the call has ended.
 */
import { describeGiven } from "../rpc/option-names.ts";

/** Throws TypeError for what is no signal, saying what was given. */
export function checkSignal(signal: unknown): void {
  if (isSignal(signal)) return;
  const { signal: inner } = (signal ?? {}) as { readonly signal?: unknown };
  const advice = isSignal(inner) ? "; give the controller's `signal`" : "";
  throw new TypeError(`signal: ${describeGiven(signal)} given, an AbortSignal is allowed${advice}`);
}

/** Calls `onAbort` at most once, when the signal fires; the result ends that. */
export function watchForeignSignal(signal: AbortSignal, onAbort: () => void): () => void {
  let isWatching = true;
  const stop = (): void => {
    if (!isWatching) return;
    isWatching = false;
    signal.removeEventListener?.("abort", listener);
  };
  const listener = (): void => {
    if (isWatching) onAbort();
  };
  signal.addEventListener("abort", listener);
  return stop;
}

function isSignal(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener } = value as { readonly aborted?: unknown; readonly addEventListener?: unknown };
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}
