/**
 * Methods as both sides bind them: path, kind, idempotency and the two codecs. Owns the step from a protobuf-es service
 * descriptor to these, and what a service that comes from elsewhere must be; knows no handler and no call.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { codecOf, DecodeLimitError, type MessageCodec } from "../protobuf/index.ts";

export { DecodeLimitError, type MessageCodec };

export type MethodKind = "unary" | "client_streaming" | "server_streaming" | "bidi_streaming";
export type Idempotency = "NO_SIDE_EFFECTS" | "IDEMPOTENT" | "UNKNOWN";

/** What an interceptor is bound to. */
export interface MethodInfo {
  /** "/user.UserService/GetUser": exactly what stands in `:path`. */
  readonly path: string;
  /** "user.UserService". */
  readonly service: string;
  /** "GetUser". */
  readonly name: string;
  readonly kind: MethodKind;
  /** `option idempotency_level` of the proto. */
  readonly idempotency: Idempotency;
  /** Set where the method comes from a protobuf descriptor. */
  readonly descriptor?: DescMethod;
}

export interface MethodDefinition extends MethodInfo {
  /** The name in handlers and clients: "getUser". */
  readonly localName: string;
  readonly requestCodec: MessageCodec<unknown, unknown>;
  readonly responseCodec: MessageCodec<unknown, unknown>;
}

/** Whether the request of this kind is a stream. */
export function hasRequestStream(kind: MethodKind): boolean {
  return kind === "client_streaming" || kind === "bidi_streaming";
}

export function hasResponseStream(kind: MethodKind): boolean {
  return kind === "server_streaming" || kind === "bidi_streaming";
}

/** A method whose messages have types although it has no descriptor. `Kind` is a union where the types do not tell it. */
export interface TypedMethod<Kind extends MethodKind, Request, RequestInit, Response, ResponseInit>
  extends MethodDefinition {
  readonly kind: Kind;
  readonly requestCodec: MessageCodec<Request, RequestInit>;
  readonly responseCodec: MessageCodec<Response, ResponseInit>;
}

/** A service that comes from another generator than protobuf-es: its methods, ready to be bound. */
export interface ServiceDefinition<
  Methods extends Readonly<Record<string, MethodDefinition>> = Readonly<Record<string, MethodDefinition>>,
> {
  /** Tells it from a descriptor, whose `kind` is "service". */
  readonly kind: "definition";
  /** "user.UserService". */
  readonly typeName: string;
  /** By local name. */
  readonly method: Methods;
  readonly methods: readonly MethodDefinition[];
}

/** Whatever a server can serve and a client can call. */
export type ServiceSource = DescService | ServiceDefinition;

const definitions = new WeakMap<DescService, readonly MethodDefinition[]>();

/** The methods of a service, made once per descriptor, in the order of the proto. */
export function methodsOf(service: ServiceSource): readonly MethodDefinition[] {
  if (service.kind === "definition") return service.methods;
  let methods = definitions.get(service);
  if (methods === undefined) {
    methods = service.methods.map(defineMethod);
    definitions.set(service, methods);
  }
  return methods;
}

function defineMethod(descriptor: DescMethod): MethodDefinition {
  return Object.freeze({
    path: `/${descriptor.parent.typeName}/${descriptor.name}`,
    service: descriptor.parent.typeName,
    name: descriptor.name,
    localName: descriptor.localName,
    kind: descriptor.methodKind,
    idempotency: idempotencyOf(descriptor.idempotency),
    descriptor,
    requestCodec: codecOf(descriptor.input) as MessageCodec<unknown, unknown>,
    responseCodec: codecOf(descriptor.output) as MessageCodec<unknown, unknown>,
  });
}

function idempotencyOf(level: MethodOptions_IdempotencyLevel): Idempotency {
  switch (level) {
    case MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS:
      return "NO_SIDE_EFFECTS";
    case MethodOptions_IdempotencyLevel.IDEMPOTENT:
      return "IDEMPOTENT";
    default:
      return "UNKNOWN";
  }
}
