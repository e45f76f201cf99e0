/**
 * The ambient call: which server call the code that runs now works for, so that a client call made inside a handler
 * inherits what is left of its deadline, and its cancellation. Owns the one AsyncLocalStorage of the process.
 *
 * It is entered only once a Channel exists: a process that only serves does not pay for it.
 *
 * Inheritance ends with the call: work that a handler leaves behind (an interval, a cache that refreshes itself) stays in the
 * call's asynchronous context for good, and would inherit a deadline that has passed for ever.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ServerCall } from "./call.ts";
import { processState } from "./process-state.ts";

/** A call that client calls may inherit from. */
export interface AmbientCall extends ServerCall {
  /** Its status is decided and its handler has returned: whatever runs in its context now does not work for it. */
  readonly isOver: boolean;
}

const state = processState("ambientCall", () => ({
  storage: new AsyncLocalStorage<AmbientCall | undefined>(),
  isWanted: false,
}));
const { storage } = state;

/** To be called when the first client of the process is made. */
export function wantAmbientCall(): void {
  state.isWanted = true;
}

/** The argument is passed on, so that the hot path needs no closure. */
export function runInCall<Argument, Result>(
  call: AmbientCall,
  work: (argument: Argument) => Result,
  argument: Argument,
): Result {
  return state.isWanted ? storage.run(call, work, argument) : work(argument);
}

/** The call that the code which runs now works for; none once that call is over. */
export function ambientCall(): ServerCall | undefined {
  const call = state.isWanted ? storage.getStore() : undefined;
  return call === undefined || call.isOver ? undefined : call;
}

/** Runs `work` outside of any call: connects, watches and batches outlive the call that happened to start them. */
export function detached<T>(work: () => T): T {
  return state.isWanted ? storage.run(undefined, work) : work();
}
