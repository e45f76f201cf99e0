/**
 * Client interceptors: the same shape as on the server, bound to a method once per client. Owns the shapes, the call they
 * see and their composition.
 */
import type { CallValues } from "../rpc/call-values.ts";
import type { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import type { Status } from "../rpc/status.ts";

/** How a client call ended: what `onEnd` listeners get, once. */
export interface ClientCallEnd {
  readonly status: Status;
  readonly durationMs: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
}

export interface ClientCall {
  readonly method: MethodInfo;
  /** Sent with the request; `onCall` may change it. */
  readonly metadata: Metadata;
  /** What is left until the deadline; Infinity without one. */
  readonly remainingMs: number;
  readonly values: CallValues;
  /** Makes the deadline earlier; it never moves later. Milliseconds from now. */
  limitTimeout(timeoutMs: number): void;
  /** Calls `listener` once, when the call has ended; innermost first. */
  onEnd(listener: (end: ClientCallEnd) => void): void;
}

export interface ClientHooks {
  /** Before anything is sent. Synchronous. Throw to refuse. */
  onCall?(call: ClientCall): void;
  /** Each message out. Throw to refuse. */
  onRequest?(message: unknown, call: ClientCall): void;
  /** Each message in. Throw to refuse. */
  onResponse?(message: unknown, call: ClientCall): void;
}

/** Called once per method. Nothing returned: nothing per call. */
// biome-ignore lint/suspicious/noConfusingVoidType: an interceptor that returns nothing is the documented way to pass
export type ClientInterceptor = (method: MethodInfo) => ClientHooks | undefined | void;

type MessageHook = ((message: unknown, call: ClientCall) => void) | undefined;

export interface ComposedClientHooks {
  readonly onCall: ((call: ClientCall) => void) | undefined;
  readonly onRequest: MessageHook;
  readonly onResponse: MessageHook;
}

/** The first in the list is the outermost: its `onCall` and `onRequest` run first, its `onResponse` last. */
export function composeClientHooks(
  interceptors: readonly ClientInterceptor[],
  method: MethodInfo,
): ComposedClientHooks {
  const hooks: ClientHooks[] = [];
  for (const interceptor of interceptors) {
    const bound = interceptor(method);
    if (bound) hooks.push(bound);
  }
  const calling = hooks.filter((hook) => hook.onCall !== undefined);
  return {
    onCall:
      calling.length === 0
        ? undefined
        : (call) => {
            for (const hook of calling) hook.onCall!(call);
          },
    onRequest: composeMessageHooks(hooks, "onRequest"),
    onResponse: composeMessageHooks([...hooks].reverse(), "onResponse"),
  };
}

function composeMessageHooks(hooks: readonly ClientHooks[], name: "onRequest" | "onResponse"): MessageHook {
  const bound = hooks.filter((hook) => hook[name] !== undefined);
  if (bound.length === 0) return undefined;
  return (message, call) => {
    for (const hook of bound) hook[name]!(message, call);
  };
}
