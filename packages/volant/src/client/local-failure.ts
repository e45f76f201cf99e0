/**
 * Failures that this side is the cause of, as the status of a call: a request that cannot be made, an interceptor that
 * refuses, an answer with the wrong number of messages. Owns their codes and words.
 */
import { isErrorLike, textOfThrown } from "../rpc/foreign-values.ts";
import type { Metadata } from "../rpc/metadata.ts";
import type { MethodDefinition, MethodInfo } from "../rpc/method.ts";
import { createRpcError, nameMethod, RpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { listBytes, type OutboundField, type PeerLists, type ResolvedHttp2Options } from "../transport/http2.ts";

/** An RpcError says itself what the call ends with. */
export function refusalOf(error: unknown): Status {
  return error instanceof RpcError ? error : wrap(StatusCode.INTERNAL, "an interceptor refused the call", error);
}

/** Throws TypeError where there is no request: it would go out as an empty one. */
export function checkRequest(request: unknown, { localName }: MethodDefinition): void {
  if (request !== undefined && request !== null) return;
  throw new TypeError(`${localName} was given ${String(request)} as request; it takes a message, {} for an empty one`);
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

/** Says which call ended with it. An error of the application is its own: it may be thrown for many calls. */
export function nameCall(status: Status, { path }: MethodInfo): void {
  if (status instanceof RpcError && status.origin === "client") nameMethod(status, path);
}

/** gRPC PROTOCOL-HTTP2: another number of messages than the method's is UNIMPLEMENTED. */
export function cardinalityFailure(found: "no message" | "more than one message"): RpcError {
  const text = `the response has ${found}, this method answers with exactly one`;
  return createRpcError("client", StatusCode.UNIMPLEMENTED, text);
}

/** The server has not seen the call: what it does not take is not sent. */
export function requestTooLarge(
  fields: readonly OutboundField[],
  metadata: Metadata | undefined,
  limits: PeerLists,
): RpcError {
  const bytes = listBytes(fields);
  const entries = metadata === undefined ? 0 : metadata.size;
  const limit = limits.isNamed
    ? "the server takes (SETTINGS_MAX_HEADER_LIST_SIZE): send less metadata, or raise the server's limit"
    : "are sent to a server that names no limit (http2.maxSentHeaderListBytes of the channel): send less metadata, or raise that";
  const text = `the request's headers are ${bytes} bytes with ${entries} metadata entries, and at most ${limits.bytes} ${limit}`;
  return createRpcError("client", StatusCode.RESOURCE_EXHAUSTED, text);
}

/** The server may have acted on the call; what it answered beside the message is lost. */
export function responseTooLarge(part: "headers" | "trailers", options: ResolvedHttp2Options): RpcError {
  const { maxHeaderListBytes, maxHeaderFields } = options;
  const text =
    `the ${part} of the response are larger than this channel takes: http2.maxHeaderListBytes is ${maxHeaderListBytes}, ` +
    `http2.maxHeaderFields ${maxHeaderFields}; have the server send less, or raise them`;
  return createRpcError("client", StatusCode.RESOURCE_EXHAUSTED, text);
}

/** What a caller is given to throw. */
export function errorOf(status: Status): RpcError {
  return status instanceof RpcError ? status : createRpcError("client", status.code, status.message);
}

function wrap(code: StatusCode, what: string, cause: unknown): RpcError {
  return createRpcError("client", code, `${what}: ${textOfThrown(cause)}`, { cause });
}
