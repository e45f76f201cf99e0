/**
 * Client interceptors: the same shape as on the server, bound to a method once per client. Owns the shapes, the call they
 * see and their composition.
 */
import type { CallValues } from "../rpc/call-values.ts";
import { bindHooks, composeMessageHooks, type MessageHook } from "../rpc/hooks.ts";
import type { Metadata } from "../rpc/metadata.ts";
import type { MethodInfo } from "../rpc/method.ts";
import type { OptionTable } from "../rpc/option-names.ts";
import type { Status } from "../rpc/status.ts";
import { isThenable } from "../stream/pump.ts";

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
  /** Makes the deadline earlier; it never moves later. Milliseconds from now. In `onCall` only: later it throws. */
  limitTimeout(timeoutMs: number): void;
  /** Calls `listener` once, when the call has ended; innermost first. One that throws is reported to `onError`. */
  onEnd(listener: (end: ClientCallEnd) => void): void;
}

export interface ClientHooks {
  /**
   * Before anything is sent; the call waits where it returns a promise. Throw to refuse: an RpcError is the call's status,
   * anything else is INTERNAL with that as its cause.
   */
  onCall?(call: ClientCall): void | Promise<void>;
  /** Each message out. Synchronous. Throw to refuse. */
  onRequest?(message: unknown, call: ClientCall): void;
  /** Each message in. Synchronous. Throw to refuse. */
  onResponse?(message: unknown, call: ClientCall): void;
}

const CLIENT_HOOKS = { onCall: true, onRequest: true, onResponse: true } as const satisfies OptionTable<ClientHooks>;

/** Called once per method. Nothing returned: nothing per call. */
// biome-ignore lint/suspicious/noConfusingVoidType: an interceptor that returns nothing is the documented way to pass
export type ClientInterceptor = (method: MethodInfo) => ClientHooks | undefined | void;

export interface ComposedClientHooks {
  /** False where no interceptor looks at calls of this method. */
  readonly isActive: boolean;
  readonly onCall: ((call: ClientCall) => Promise<void> | undefined) | undefined;
  readonly onRequest: MessageHook<ClientCall>;
  readonly onResponse: MessageHook<ClientCall>;
}

/** The first in the list is the outermost: its `onCall` and `onRequest` run first, its `onResponse` last. */
export function composeClientHooks(
  interceptors: readonly ClientInterceptor[],
  method: MethodInfo,
): ComposedClientHooks {
  const hooks = bindHooks<ClientHooks>(interceptors, method, CLIENT_HOOKS);
  const calling = hooks.filter((hook) => hook.onCall !== undefined);
  return {
    isActive: hooks.length > 0,
    onCall: calling.length === 0 ? undefined : (call) => runInOrder(calling, 0, call),
    onRequest: composeMessageHooks<ClientCall>(hooks, "onRequest"),
    onResponse: composeMessageHooks<ClientCall>([...hooks].reverse(), "onResponse"),
  };
}

/** No promise is awaited where none was returned. */
function runInOrder(hooks: readonly ClientHooks[], from: number, call: ClientCall): Promise<void> | undefined {
  for (let at = from; at < hooks.length; at++) {
    const waiting: unknown = hooks[at]!.onCall!(call);
    if (isThenable(waiting)) return Promise.resolve(waiting).then(() => runInOrder(hooks, at + 1, call));
  }
  return undefined;
}
