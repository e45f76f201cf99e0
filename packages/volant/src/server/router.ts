/**
 * From `:path` to the method that serves it, by exact bytes. Owns registration: which service has which handlers, and the
 * errors of registering them wrongly. Anything that is no registered path is UNIMPLEMENTED before any interceptor, so no
 * spelling of a path can go round one (CVE-2026-33186).
 */
import { type AnyHandler, type ComposedHooks, composeHooks, type ServerInterceptor } from "../rpc/interceptor.ts";
import { type MessageCodec, type MethodDefinition, methodsOf, type ServiceSource } from "../rpc/method.ts";
import { codecFor, type Decoding, resolveDecoding } from "../stream/decoding.ts";

/** A method with its handler and its hooks, bound once. */
export interface BoundMethod {
  readonly definition: MethodDefinition;
  /** That of the definition, under the limits of the server. */
  readonly requestCodec: MessageCodec<unknown, unknown>;
  readonly handler: AnyHandler;
  readonly hooks: ComposedHooks;
}

export class Router {
  private readonly methods = new Map<string, BoundMethod>();
  private readonly services = new Map<string, ServiceSource>();
  private readonly interceptors: readonly ServerInterceptor[];
  private readonly decoding: Decoding;

  constructor(interceptors: readonly ServerInterceptor[], decoding: Decoding = resolveDecoding({}, 0)) {
    this.interceptors = interceptors;
    this.decoding = decoding;
  }

  get(path: string): BoundMethod | undefined {
    return this.methods.get(path);
  }

  hasService(name: string): boolean {
    return this.services.has(name);
  }

  registeredServices(): readonly ServiceSource[] {
    return [...this.services.values()];
  }

  /** Throws TypeError for a service that is there already, an unknown name, a missing or non-function handler. */
  add(service: ServiceSource, handlers: Readonly<Record<string, unknown>>, partial: boolean): void {
    const { typeName } = service;
    if (this.services.has(typeName)) throw new TypeError(`${typeName} is registered already; add each service once`);
    const methods = methodsOf(service);
    checkNames(typeName, methods, handlers);
    const bound = methods.map((definition) => this.bind(definition, handlers, partial));
    this.services.set(typeName, service);
    for (const method of bound) if (method !== undefined) this.methods.set(method.definition.path, method);
  }

  private bind(
    definition: MethodDefinition,
    handlers: Readonly<Record<string, unknown>>,
    partial: boolean,
  ): BoundMethod | undefined {
    const { localName, path } = definition;
    const given = handlers[localName];
    if (given === undefined && partial) return undefined;
    if (typeof given !== "function") {
      throw new TypeError(
        `${path} was given ${given === undefined ? "no handler" : `a ${typeof given} as handler`}; it takes a function ` +
          `named ${localName}, or leave it out with { partial: true }`,
      );
    }
    const hooks = composeHooks(this.interceptors, definition);
    const requestCodec = codecFor(definition.requestCodec, definition, this.decoding);
    return { definition, requestCodec, handler: hooks.wrap(given.bind(handlers) as AnyHandler), hooks };
  }
}

function checkNames(
  service: string,
  methods: readonly MethodDefinition[],
  handlers: Readonly<Record<string, unknown>>,
): void {
  const known = methods.map(({ localName }) => localName);
  for (const name of Object.keys(handlers)) {
    if (typeof handlers[name] === "function" && !known.includes(name)) {
      throw new TypeError(`${service} has no method ${name}; it has ${known.join(", ")}`);
    }
  }
}
