/**
 * What a handler's failure becomes on the wire. Owns the rule that nothing internal leaves by accident: an error that the
 * application made goes out as it is, one of a client call or of the runtime does not.
 */
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
    // An error of a call to another service is not our answer, save that this call itself ended that way.
    const same = error.code === endedAs;
    return same ? { status: error, report: false } : { status: INTERNAL, report: true };
  }
  if (call.isAborted && isAbortError(error)) {
    const code = endedAs ?? StatusCode.CANCELLED;
    return { status: createRpcError("library", code, "the call was cancelled"), report: false };
  }
  return { status: INTERNAL, report: true };
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
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
