/**
 * `fromGrpcJs`: a grpc-js service definition becomes a service that `Server.add` and `createClient` take. Owns the checks of
 * what was given and the names of its methods. Needs nothing of grpc-js: a definition is data and functions.
 */
import {
  type Idempotency,
  type MethodDefinition,
  type MethodKind,
  type ServiceDefinition,
  safeNameOf,
} from "../rpc/method.ts";
import { isService } from "../rpc/service-shape.ts";
import type { GrpcJsDefinition, GrpcJsMethod, GrpcJsService, LanguageName } from "./definition.ts";
import { SerializerCodec } from "./serializer-codec.ts";

const FUNCTIONS = ["requestSerialize", "requestDeserialize", "responseSerialize", "responseDeserialize"] as const;
const ALLOWED =
  "a service definition is an object of methods, each with path, requestStream, responseStream, " +
  `${FUNCTIONS.slice(0, -1).join(", ")} and ${FUNCTIONS.at(-1)}`;

const services = new WeakMap<object, ServiceDefinition>();

/**
 * The service of a definition made by `@grpc/proto-loader`, `grpc-tools` or `ts-proto` (`outputServices=grpc-js`), for
 * `Server.add` and `createClient`. Handlers and client methods have lowerCamelCase names whatever the generator's; handlers are
 * those of every volant service: async functions and generators, no callbacks.
 *
 * Made once per definition. Throws TypeError for anything that is not a definition.
 */
export function fromGrpcJs<Definition extends GrpcJsDefinition<Definition>>(
  definition: Definition,
): GrpcJsService<Definition> {
  refuseOther(definition);
  let service = services.get(definition);
  if (service === undefined) {
    service = createService(definition);
    services.set(definition, service);
  }
  return service as GrpcJsService<Definition>;
}

function createService(definition: object): ServiceDefinition {
  const method: Record<string, MethodDefinition> = {};
  for (const [key, given] of Object.entries(definition)) {
    const made = defineMethod(key, given);
    const { localName } = made;
    if (Object.hasOwn(method, localName)) {
      throw new TypeError(`${made.path} and ${method[localName]!.path} would both be called ${localName}`);
    }
    method[localName] = made;
  }
  const methods = Object.values(method);
  return Object.freeze({ kind: "definition", typeName: serviceNameOf(methods), method, methods });
}

function defineMethod(key: string, given: unknown): MethodDefinition {
  refuseNonMethod(key, given);
  const { path, requestStream, responseStream } = given;
  const [, service, name] = /^\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (service === undefined || name === undefined) {
    throw new TypeError(`${key} has the path ${JSON.stringify(path)}; a path is "/package.Service/Method"`);
  }
  return Object.freeze({
    path,
    service,
    name,
    localName: localNameOf(key),
    kind: kindOf(requestStream, responseStream),
    idempotency: idempotencyOf(given),
    requestCodec: new SerializerCodec(`requestSerialize of ${path}`, given.requestSerialize, given.requestDeserialize),
    responseCodec: new SerializerCodec(
      `responseSerialize of ${path}`,
      given.responseSerialize,
      given.responseDeserialize,
    ),
  });
}

/** What the language calls on any object, as protobuf-es has them. */
const CALLED_BY_LANGUAGE: ReadonlySet<string> = new Set<LanguageName>(["constructor", "toString", "toJSON", "valueOf"]);

/** `LocalName` of definition.ts says the same in types. */
function localNameOf(key: string): string {
  const first = `${key.charAt(0).toLowerCase()}${key.slice(1)}`;
  const name = first.replaceAll(/_+(.?)/g, (_, next: string) => next.toUpperCase());
  return CALLED_BY_LANGUAGE.has(name) ? `${name}$` : safeNameOf(name);
}

function kindOf(requestStream: boolean, responseStream: boolean): MethodKind {
  if (requestStream) return responseStream ? "bidi_streaming" : "client_streaming";
  return responseStream ? "server_streaming" : "unary";
}

/** proto-loader hands the method's options on; the other generators drop them. */
function idempotencyOf(
  method: GrpcJsMethod & { readonly options?: { readonly idempotency_level?: unknown } },
): Idempotency {
  const level = method.options?.idempotency_level;
  return level === "NO_SIDE_EFFECTS" || level === "IDEMPOTENT" ? level : "UNKNOWN";
}

function serviceNameOf(methods: readonly MethodDefinition[]): string {
  const names = new Set(methods.map(({ service }) => service));
  const [name] = names;
  if (name === undefined) throw new TypeError(`the definition has no method; ${ALLOWED}`);
  if (names.size > 1) throw new TypeError(`the methods are of several services: ${[...names].join(", ")}; give one`);
  return name;
}

function refuseOther(given: unknown): asserts given is object {
  if (isService(given)) throw new TypeError("fromGrpcJs was given a service of volant or protobuf-es; use it as it is");
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return;
  const isClient = typeof given === "function" && "service" in given;
  const what = isClient ? "a client constructor, whose definition is its property `service`" : describe(given);
  throw new TypeError(`fromGrpcJs was given ${what}; ${ALLOWED}`);
}

function refuseNonMethod(key: string, given: unknown): asserts given is GrpcJsMethod {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${key} of the definition is ${describe(given)}; ${ALLOWED}`);
  }
  const method = given as Readonly<Record<string, unknown>>;
  const wrong = findWrongProperty(method);
  if (wrong === undefined) return;
  throw new TypeError(`${key} of the definition has ${describe(method[wrong])} as ${wrong}; ${ALLOWED}`);
}

function findWrongProperty(method: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof method.path !== "string") return "path";
  const streams = ["requestStream", "responseStream"].find((name) => typeof method[name] !== "boolean");
  return streams ?? FUNCTIONS.find((name) => typeof method[name] !== "function");
}

function describe(given: unknown): string {
  if (given === undefined || given === null) return String(given);
  if (Array.isArray(given)) return "an array";
  return typeof given === "object" ? "an object" : `a ${typeof given}`;
}
