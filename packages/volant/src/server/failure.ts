/**
 * What a handler's failure becomes on the wire. Owns the rule that nothing internal leaves by accident: an error that the
 * application made goes out as it is, one of a client call or of the runtime does not.
 */
import { isErrorLike } from "../rpc/foreign-values.ts";
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import type { IncomingCall } from "./incoming-call.ts";

export interface Failure {
  readonly status: Status;
  /** To be handed to `onError`: nobody else will ever see it. */
  readonly report: boolean;
}

/** What goes out for everything that is nobody's business. */
export const INTERNAL: RpcError = createRpcError("library", StatusCode.INTERNAL, "internal error");

export function failureOf(error: unknown, call: IncomingCall, endedAs: StatusCode | undefined): Failure {
  if (error instanceof RpcError) {
    if (error.origin !== "client") return { status: error, report: false };
    // An error of a call to another service is not our answer, save what this call's own end made of that call.
    const ended = endedAs ?? (call.remainingMs > 0 ? undefined : StatusCode.DEADLINE_EXCEEDED);
    if (ended === undefined || !isEndInTime(error.code)) return { status: INTERNAL, report: true };
    return { status: error.code === ended ? error : endOf(ended), report: false };
  }
  if (call.isAborted && isAbortError(error)) {
    return { status: endOf(endedAs ?? StatusCode.CANCELLED), report: false };
  }
  return { status: INTERNAL, report: true };
}

/**
 * What a call made inside a handler ends with when the handler's own call is over. The two need not agree: a client whose
 * deadline passes cancels, while the inner call passes the same deadline; and it may do so a moment before our timer.
 */
function isEndInTime(code: StatusCode): boolean {
  return code === StatusCode.CANCELLED || code === StatusCode.DEADLINE_EXCEEDED;
}

function endOf(code: StatusCode): RpcError {
  if (code === StatusCode.DEADLINE_EXCEEDED) return deadlinePassed();
  return createRpcError("library", code, "the call was cancelled");
}

function isAbortError(error: unknown): boolean {
  return isErrorLike(error) && (error.name === "AbortError" || error.name === "TimeoutError");
}

/** For what a handler gives in the place of a message: it would go out as an empty one. */
export function noMessage(path: string, what: string): TypeError {
  return new TypeError(`the handler of ${path} ${what}; a message is an object with its fields, {} for an empty one`);
}

export function deadlinePassed(): RpcError {
  return createRpcError("library", StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed");
}

/** For whoever reads a request whose call ended first. */
export function requestCutShort(): RpcError {
  return createRpcError("library", StatusCode.CANCELLED, "the call ended before its request did");
}
