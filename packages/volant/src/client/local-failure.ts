/**
 * Failures that this side is the cause of, as the status of a call: a request that cannot be made, an interceptor that
 * refuses, an answer with the wrong number of messages. Owns their codes and words.
 */
import { isErrorLike, textOfThrown } from "../rpc/foreign-values.ts";
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";

/** An RpcError says itself what the call ends with. */
export function refusalOf(error: unknown): Status {
  return error instanceof RpcError ? error : wrap(StatusCode.INTERNAL, "an interceptor refused the call", error);
}

/** A message that cannot be encoded, or an iterable that failed. */
export function requestFailure(error: unknown): Status {
  if (error instanceof RpcError) return error;
  const isAbort = isErrorLike(error) && error.name === "AbortError";
  return wrap(isAbort ? StatusCode.CANCELLED : StatusCode.INTERNAL, "the request cannot be sent", error);
}

export function deadlinePassed(): RpcError {
  return createRpcError("client", StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed");
}

/** gRPC PROTOCOL-HTTP2: another number of messages than the method's is UNIMPLEMENTED. */
export function cardinalityFailure(found: "no message" | "more than one message"): RpcError {
  const text = `the response has ${found}, this method answers with exactly one`;
  return createRpcError("client", StatusCode.UNIMPLEMENTED, text);
}

/** What a caller is given to throw. */
export function errorOf(status: Status): RpcError {
  return status instanceof RpcError ? status : createRpcError("client", status.code, status.message);
}

function wrap(code: StatusCode, what: string, cause: unknown): RpcError {
  return createRpcError("client", code, `${what}: ${textOfThrown(cause)}`, { cause });
}
