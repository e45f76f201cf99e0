/**
 * Interceptors: the hooks that policies bind to a method once, at registration. Owns their shapes and the composition of
 * several into one; a method nobody hooks costs nothing per call.
 *
 * Order: the first in the list is the outermost. Its `onCall` and `onRequest` run first, its `onResponse` last.
 */
import type { ServerCall } from "./call.ts";
import { bindHooks, composeMessageHooks, type MessageHook } from "./hooks.ts";
import type { MethodInfo } from "./method.ts";
import type { OptionTable } from "./option-names.ts";

/** A handler in the shape all kinds share: a message or an async iterable in, a message or an iterable out. */
// biome-ignore lint/suspicious/noExplicitAny: one shape for every message type; the typed surface is in server/handlers.ts
export type AnyHandler = (request: any, call: ServerCall) => unknown;

export interface ServerHooks {
  /** At the headers, before a body octet is accepted. May be async. Throw to refuse. */
  onCall?(call: ServerCall): void | Promise<void>;
  /** Each message in. Throw to refuse. */
  onRequest?(message: unknown, call: ServerCall): void;
  /** Each message out. Throw to refuse. */
  onResponse?(message: unknown, call: ServerCall): void;
  /** Wraps the handler; only for what the hooks cannot do. */
  around?(next: AnyHandler): AnyHandler;
}

const SERVER_HOOKS = {
  onCall: true,
  onRequest: true,
  onResponse: true,
  around: true,
} as const satisfies OptionTable<ServerHooks>;

/** Called once per method. Nothing returned: nothing per call. */
// biome-ignore lint/suspicious/noConfusingVoidType: an interceptor that returns nothing is the documented way to pass
export type ServerInterceptor = (method: MethodInfo) => ServerHooks | undefined | void;

/** The hooks of one method, each undefined where nobody asked for it. */
export interface ComposedHooks {
  readonly onCall: ((call: ServerCall) => void | Promise<void>) | undefined;
  readonly onRequest: MessageHook<ServerCall>;
  readonly onResponse: MessageHook<ServerCall>;
  wrap(handler: AnyHandler): AnyHandler;
}

export function composeHooks(interceptors: readonly ServerInterceptor[], method: MethodInfo): ComposedHooks {
  const hooks = bindHooks<ServerHooks>(interceptors, method, SERVER_HOOKS);
  return {
    onCall: composeOnCall(hooks.filter((hook) => hook.onCall !== undefined)),
    onRequest: composeMessageHooks<ServerCall>(hooks, "onRequest"),
    onResponse: composeMessageHooks<ServerCall>([...hooks].reverse(), "onResponse"),
    wrap: (handler) => hooks.reduceRight((next, hook) => hook.around?.(next) ?? next, handler),
  };
}

function composeOnCall(hooks: readonly ServerHooks[]): ComposedHooks["onCall"] {
  if (hooks.length === 0) return undefined;
  return (call) => runOnCall(hooks, 0, call);
}

/** Stays synchronous until a hook returns a promise. */
function runOnCall(hooks: readonly ServerHooks[], from: number, call: ServerCall): void | Promise<void> {
  for (let at = from; at < hooks.length; at++) {
    const result: unknown = hooks[at]!.onCall!(call);
    if (isThenable(result)) return Promise.resolve(result).then(() => runOnCall(hooks, at + 1, call));
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
