/**
 * Interceptors of both sides, as they are bound to a method. Owns what an interceptor and its hooks must be, and the
 * composition of message hooks; the shapes of either side are in `interceptor.ts` and `client/client-interceptor.ts`.
 *
 * A hook whose name is misspelt would never be called, and a policy that is never called looks like one that lets everything
 * pass: so every name is checked when it is bound.
 */
import type { MethodInfo } from "./method.ts";
import { describeGiven, type OptionNames, unknownName } from "./option-names.ts";

// biome-ignore lint/suspicious/noConfusingVoidType: an interceptor that returns nothing is the documented way to pass
type AnyInterceptor<Hooks> = (method: MethodInfo) => Hooks | undefined | void;

export type MessageHook<Call> = ((message: unknown, call: Call) => void) | undefined;

type MessageHookName = "onRequest" | "onResponse";
type MessageHooks<Call> = { readonly [Name in MessageHookName]?: MessageHook<Call> };

/** Throws TypeError for what is no list of functions, naming the place and what was given. */
export function checkInterceptors(interceptors: unknown): void {
  if (interceptors === undefined) return;
  if (!Array.isArray(interceptors)) {
    throw new TypeError(`interceptors: ${describeGiven(interceptors)} given, an array of interceptors is allowed`);
  }
  interceptors.forEach((interceptor: unknown, index) => {
    if (typeof interceptor === "function") return;
    throw new TypeError(
      `interceptors[${index}]: ${describeGiven(interceptor)} given; an interceptor is a function that is called once for each ` +
        "method and returns its hooks: (method) => ({ onCall(call) { … } })",
    );
  });
}

/**
 * The hooks of `method`, outermost first. Throws TypeError where an interceptor returns what are no hooks. `names`: of the hooks
 * that this side has.
 */
export function bindHooks<Hooks extends object>(
  interceptors: readonly AnyInterceptor<Hooks>[],
  method: MethodInfo,
  names: OptionNames,
): Hooks[] {
  const bound: Hooks[] = [];
  interceptors.forEach((interceptor, index) => {
    const hooks: unknown = interceptor(method);
    if (hooks === undefined || hooks === null || hooks === false) return;
    checkHooks(`interceptors[${index}]${named(interceptor)} for ${method.path}`, hooks, names);
    bound.push(hooks as Hooks);
  });
  return bound;
}

/** One hook that runs those of all, in order; undefined where there are none. */
export function composeMessageHooks<Call extends { readonly method: MethodInfo }>(
  hooks: readonly MessageHooks<Call>[],
  name: MessageHookName,
): MessageHook<Call> {
  const bound = hooks.filter((hook) => hook[name] !== undefined);
  if (bound.length === 0) return undefined;
  return (message, call) => {
    for (const hook of bound) {
      const result: unknown = hook[name]!(message, call);
      if (result !== undefined && isThenable(result)) refuseAsync(name, call.method, result);
    }
  };
}

function checkHooks(where: string, hooks: unknown, names: OptionNames): void {
  if (typeof hooks !== "object" || isThenable(hooks)) {
    const what = isThenable(hooks) ? "a promise" : describeGiven(hooks);
    throw new TypeError(`${where} returned ${what}; it returns an object with hooks, or nothing to let the method be`);
  }
  for (const name of namesOf(hooks as object)) {
    if (!Object.hasOwn(names, name)) throw new TypeError(`${where}: ${unknownHook(name, names)}`);
    const hook = (hooks as Readonly<Record<string, unknown>>)[name];
    if (hook !== undefined && typeof hook !== "function") {
      throw new TypeError(`${where}: ${name}: ${describeGiven(hook)} given, a function is allowed`);
    }
  }
}

/**
 * What is meant as a hook: every name of a plain object. An instance of a class may have state and methods of its own; there it is
 * what begins with "on", and `around`.
 */
function namesOf(hooks: object): string[] {
  const names = Object.keys(hooks);
  let owner: object | null = Object.getPrototypeOf(hooks);
  if (owner === null || Object.getPrototypeOf(owner) === null) return names;
  for (; owner !== null && Object.getPrototypeOf(owner) !== null; owner = Object.getPrototypeOf(owner))
    names.push(...Object.getOwnPropertyNames(owner));
  return names.filter((name) => /^(?:on|around$)/i.test(name));
}

function unknownHook(name: string, names: OptionNames): string {
  if (name !== "around") return unknownName(name, "hook", names);
  return `around is a hook of servers; on a client use onCall (allowed: ${Object.keys(names).join(", ")})`;
}

function named({ name }: { readonly name: string }): string {
  return name === "" ? "" : ` (${name})`;
}

/** The types let an async function pass for a synchronous one; its refusal would come after the message was used. */
function refuseAsync(name: string, { path }: MethodInfo, result: PromiseLike<unknown>): never {
  // The error below is the one that is told; what the promise rejects with would otherwise end the process.
  result.then(undefined, () => undefined);
  throw new TypeError(
    `${name} of an interceptor of ${path} returned a promise; message hooks are synchronous, wait in onCall instead`,
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
