/**
 * Which function of what a user gave is the handler of a method. Owns the lookup and the errors of names that fit no method.
 *
 * A plain object is there for its handlers alone: any other function in it is a mistake. An instance of a class has methods
 * and functions of its own, a logger for one: there only what looks like a missing handler is.
 */
import type { MethodDefinition } from "../rpc/method.ts";
import { describeGiven, namesOf, nearestName } from "../rpc/option-names.ts";

export type GivenHandlers = Readonly<Record<string, unknown>>;
export type GivenHandler = (...args: never[]) => unknown;

/** Throws TypeError for what holds no handlers. */
export function checkHandlers(service: string, given: unknown): asserts given is GivenHandlers {
  if ((typeof given === "object" && given !== null && !Array.isArray(given)) || typeof given === "function") return;
  throw new TypeError(
    `server.add(): ${describeGiven(given)} given as handlers of ${service}; an object with a function for each method is allowed`,
  );
}

/** The handler of `method`; undefined where there is none. Throws TypeError for what is no function. */
export function handlerOf({ localName, path }: MethodDefinition, handlers: GivenHandlers): GivenHandler | undefined {
  const given = handlers[localName];
  if (given === undefined || given === inheritedByAll(handlers, localName)) return undefined;
  if (typeof given === "function") return given as GivenHandler;
  throw new TypeError(
    `${path} was given ${describeGiven(given)} as handler; it takes a function named ${localName}, or leave it out with ` +
      "{ partial: true }",
  );
}

/** Throws TypeError for a method that has no handler. */
export function refuseMissing({ localName, path }: MethodDefinition, handlers: GivenHandlers): never {
  throw new TypeError(
    `${path} was given no handler${adviceFor(localName, handlers)}; it takes a function named ${localName}, or leave it out ` +
      "with { partial: true }",
  );
}

/** Throws TypeError for a function that is meant as a handler and is the handler of no method. */
export function checkNames(service: string, methods: readonly MethodDefinition[], handlers: GivenHandlers): void {
  const known = new Set(methods.map(({ localName }) => localName));
  const extra = functionNames(handlers).filter((name) => !known.has(name));
  const missing = methods.filter((method) => handlerOf(method, handlers) === undefined);
  for (const name of extra) {
    const meant = missing.find(({ localName }) => isSlipOf(name, localName))?.localName;
    if (meant === undefined && !isPlain(handlers)) continue;
    const advice = meant === undefined ? "" : `; did you mean ${meant}?`;
    throw new TypeError(`${service} has no method ${name}${advice}; it has ${[...known].join(", ")}`);
  }
}

function adviceFor(localName: string, handlers: GivenHandlers): string {
  const { prototype } = handlers as { readonly prototype?: unknown };
  if (typeof handlers === "function" && typeof prototype === "object" && prototype !== null && localName in prototype) {
    return `: a class was given; give an instance of it, new ${(handlers as { readonly name: string }).name}()`;
  }
  const nearest = nearestName(
    localName,
    namesOf(Object.fromEntries(functionNames(handlers).map((name) => [name, true]))),
  );
  return nearest === undefined ? "" : `; the nearest there is is ${nearest}`;
}

/** Of the object itself and of its classes. */
function functionNames(handlers: GivenHandlers): string[] {
  const names = new Set<string>();
  for (
    let owner: object | null = handlers;
    owner !== null && !isRoot(owner, handlers);
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const [name, { value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      // What a module exports stands behind getters where it was made into CommonJS; those of a class are left alone.
      const given: unknown = value ?? (owner === handlers && enumerable ? handlers[name] : undefined);
      if (typeof given === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}

function isPlain(handlers: GivenHandlers): boolean {
  const prototype: object | null = Object.getPrototypeOf(handlers);
  return prototype === null || isRoot(prototype, handlers);
}

/** What every object has under this name, `toString` for one, is nobody's handler. */
function inheritedByAll(handlers: GivenHandlers, name: string): unknown {
  let owner: object = handlers;
  for (let next: object | null = owner; next !== null; next = Object.getPrototypeOf(owner)) owner = next;
  return isRoot(owner, handlers) ? (owner as GivenHandlers)[name] : undefined;
}

/** Whether this is `Object.prototype`, of any realm. */
function isRoot(owner: object, handlers: GivenHandlers): boolean {
  return owner !== handlers && Object.getPrototypeOf(owner) === null && Object.hasOwn(owner, "isPrototypeOf");
}

/** Written in another case or with underscores, or one letter off: more than that may be a method of the class's own. */
function isSlipOf(name: string, localName: string): boolean {
  const [a, b] = [withoutCase(name), withoutCase(localName)];
  return a === b || (a[0] === b[0] && isOneEditAway(a, b));
}

function withoutCase(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** One letter more, less or other, or two neighbours that changed places. */
function isOneEditAway(a: string, b: string): boolean {
  let from = 0;
  while (from < a.length && a[from] === b[from]) from++;
  const [x, y] = [a.slice(from), b.slice(from)];
  const isSwapped = x.length === y.length && x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2);
  return isSwapped || x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1);
}
