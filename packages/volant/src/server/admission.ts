/**
 * Interceptors decide whether a call is taken: `onCall`, at once or in a while. Owns the asking; what arrives of the request
 * meanwhile is in `early-request.ts`. A call without interceptors never comes here.
 */
import { runInCall } from "../rpc/ambient.ts";
import { EarlyRequest } from "./early-request.ts";
import { type HandledCall, whenSettled } from "./handler-run.ts";
import type { IncomingCall } from "./incoming-call.ts";

export interface AdmittedCall extends HandledCall {
  /** Set while the answer is waited for. */
  early: EarlyRequest | undefined;
  /** It is taken. */
  admit(): void;
}

/** Never throws. */
export function askAdmission(asking: AdmittedCall, onCall: (call: IncomingCall) => void | Promise<void>): void {
  try {
    const admitting = runInCall(asking.call, onCall, asking.call);
    if (admitting === undefined) {
      asking.admit();
      return;
    }
    if (!asking.isDone) asking.early = new EarlyRequest();
    whenSettled(asking, Promise.resolve(admitting), onAdmitted);
  } catch (error) {
    asking.fail(error);
  }
}

function onAdmitted(asking: AdmittedCall): void {
  asking.admit();
}
