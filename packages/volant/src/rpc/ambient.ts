/**
 * The ambient call: which server call the code that runs now works for, so that a client call made inside a handler
 * inherits what is left of its deadline, and its cancellation. Owns the one AsyncLocalStorage of the process.
 *
 * It is entered only once a Channel exists: a process that only serves does not pay for it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ServerCall } from "./call.ts";

const storage = new AsyncLocalStorage<ServerCall | undefined>();
let wanted = false;

/** To be called when the first client of the process is made. */
export function wantAmbientCall(): void {
  wanted = true;
}

/** The argument is passed on, so that the hot path needs no closure. */
export function runInCall<Argument, Result>(
  call: ServerCall,
  work: (argument: Argument) => Result,
  argument: Argument,
): Result {
  return wanted ? storage.run(call, work, argument) : work(argument);
}

export function ambientCall(): ServerCall | undefined {
  return wanted ? storage.getStore() : undefined;
}

/** Runs `work` for nobody: connects, watches and batches outlive the call that happened to start them. */
export function detached<T>(work: () => T): T {
  return wanted ? storage.run(undefined, work) : work();
}
