/**
 * From `:path` to the method that serves it, by exact bytes. Owns registration: which service has which handlers, and the
 * errors of registering them wrongly. Anything that is no registered path is UNIMPLEMENTED before any interceptor, so no
 * spelling of a path can go round one (CVE-2026-33186).
 */
import { type AnyHandler, type ComposedHooks, composeHooks, type ServerInterceptor } from "../rpc/interceptor.ts";
import {
  checkedResponseCodec,
  type MessageCodec,
  type MethodDefinition,
  methodsOf,
  type ServiceSource,
} from "../rpc/method.ts";
import { checkService, isService } from "../rpc/service-shape.ts";
import { codecFor, type Decoding, resolveDecoding } from "../stream/decoding.ts";
import { checkHandlers, checkNames, type GivenHandlers, handlerOf, refuseMissing } from "./handler-lookup.ts";

/** A method with its handler and its hooks, bound once. */
export interface BoundMethod {
  readonly definition: MethodDefinition;
  /** That of the definition, under the limits of the server. */
  readonly requestCodec: MessageCodec<unknown, unknown>;
  /** That of the definition, or one that checks what it is given. */
  readonly responseCodec: MessageCodec<unknown, unknown>;
  readonly handler: AnyHandler;
  readonly hooks: ComposedHooks;
}

export class Router {
  private readonly methods = new Map<string, BoundMethod>();
  private readonly services = new Map<string, ServiceSource>();
  private readonly interceptors: readonly ServerInterceptor[];
  private readonly decoding: Decoding;
  private readonly checkResponses: boolean;

  constructor(
    interceptors: readonly ServerInterceptor[],
    decoding: Decoding = resolveDecoding({}, 0),
    checkResponses = false,
  ) {
    this.interceptors = interceptors;
    this.decoding = decoding;
    this.checkResponses = checkResponses;
  }

  get(path: string): BoundMethod | undefined {
    return this.methods.get(path);
  }

  registeredServices(): readonly ServiceSource[] {
    return [...this.services.values()];
  }

  /** Why nothing serves this path. */
  describeUnknown(path: string): string {
    const shown = path.length > 256 ? `${path.slice(0, 256)}…` : path;
    const name = /^\/([^/]+)\/[^/]+$/.exec(path)?.[1];
    if (name === undefined) return `${shown} is no method path; it has the form /package.Service/Method`;
    const service = this.services.get(name);
    if (service === undefined) return `unknown service ${name}`;
    const isLeftOut = methodsOf(service).some((method) => method.path === path);
    return isLeftOut
      ? `${shown} is a method of the service, and this server does not implement it`
      : `unknown method ${shown}`;
  }

  /** Throws TypeError for what is no service, a service that is there already, an unknown name, a missing or non-function handler. */
  add(service: ServiceSource, handlers: unknown, partial: boolean): void {
    if (!isService(service) && isService(handlers)) {
      throw new TypeError(
        "server.add(): the service stands in the second place; it comes first: server.add(Service, handlers)",
      );
    }
    checkService("server.add()", service);
    const { typeName } = service;
    if (this.services.has(typeName)) throw new TypeError(`${typeName} is registered already; add each service once`);
    checkHandlers(typeName, handlers);
    const methods = methodsOf(service);
    checkNames(typeName, methods, handlers);
    const bound = methods.map((definition) => this.bind(definition, handlers, partial));
    this.services.set(typeName, service);
    for (const method of bound) if (method !== undefined) this.methods.set(method.definition.path, method);
  }

  private bind(definition: MethodDefinition, handlers: GivenHandlers, partial: boolean): BoundMethod | undefined {
    const given = handlerOf(definition, handlers);
    if (given === undefined) return partial ? undefined : refuseMissing(definition, handlers);
    const hooks = composeHooks(this.interceptors, definition);
    const requestCodec = codecFor(definition.requestCodec, definition, this.decoding);
    const responseCodec = this.checkResponses ? checkedResponseCodec(definition) : definition.responseCodec;
    const handler = hooks.wrap(given.bind(handlers as never) as AnyHandler);
    return { definition, requestCodec, responseCodec, handler, hooks };
  }
}
