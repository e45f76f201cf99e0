/**
 * Methods as both sides bind them: path, kind, idempotency and the two codecs. Owns the step from a protobuf-es service
 * descriptor to these, and what a service that comes from elsewhere must be; knows no handler and no call.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { CheckedCodec } from "../protobuf/checked-codec.ts";
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
  /** The name in handlers and clients: "getUser". See {@link SafeName}. */
  readonly localName: string;
  readonly requestCodec: MessageCodec<unknown, unknown>;
  readonly responseCodec: MessageCodec<unknown, unknown>;
}

/** What a local name may not be: an object with a function `then` is a promise to `await`, and `__proto__` is no property. */
type UnsafeName = "then" | "__proto__";

/**
 * A name as handlers and clients have it: one that cannot be a property of theirs ends in `$`, as protobuf-es does with
 * `constructor`, `toString`, `valueOf` and `toJSON`. The RPC `Then` is `client.then$()`.
 */
export type SafeName<Name> = Name extends UnsafeName ? `${Name}$` : Name;

/** Methods by {@link SafeName}. Where all names are safe these are `Methods` themselves, whose types the compiler follows best. */
export type SafeMethods<Methods> = [Extract<keyof Methods, UnsafeName>] extends [never]
  ? Methods
  : { readonly [Name in keyof Methods as SafeName<Name>]: Methods[Name] };

/** {@link SafeName} at run time. */
export function safeNameOf(name: string): string {
  return name === "then" || name === "__proto__" ? `${name}$` : name;
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
  /** By local name, or by a name that becomes one with {@link SafeName}. */
  readonly method: Methods;
  readonly methods: readonly MethodDefinition[];
}

/** Whatever a server can serve and a client can call. */
export type ServiceSource = DescService | ServiceDefinition;

const definitions = new WeakMap<DescService, readonly MethodDefinition[]>();

/**
 * The methods of a service, made once per descriptor, in the order of the proto. Throws TypeError where two of them would have the
 * same name in handlers and clients, as `GetUser` and `getUser`.
 */
export function methodsOf(service: ServiceSource): readonly MethodDefinition[] {
  if (service.kind === "definition") return service.methods;
  let methods = definitions.get(service);
  if (methods === undefined) {
    methods = service.methods.map(defineMethod);
    refuseSameNames(methods);
    definitions.set(service, methods);
  }
  return methods;
}

function refuseSameNames(methods: readonly MethodDefinition[]): void {
  const byName = new Map<string, MethodDefinition>();
  for (const method of methods) {
    const other = byName.get(method.localName);
    if (other !== undefined) {
      throw new TypeError(
        `${other.path} and ${method.path} would both be called ${method.localName} in handlers and clients; rename one of ` +
          "them in the proto",
      );
    }
    byName.set(method.localName, method);
  }
}

function defineMethod(descriptor: DescMethod): MethodDefinition {
  return Object.freeze({
    path: `/${descriptor.parent.typeName}/${descriptor.name}`,
    service: descriptor.parent.typeName,
    name: descriptor.name,
    localName: safeNameOf(descriptor.localName),
    kind: descriptor.methodKind,
    idempotency: idempotencyOf(descriptor.idempotency),
    descriptor,
    requestCodec: codecOf(descriptor.input) as MessageCodec<unknown, unknown>,
    responseCodec: codecOf(descriptor.output) as MessageCodec<unknown, unknown>,
  });
}

/** The codec of responses that refuses what encoding would drop or misread. Messages without a descriptor are not checked. */
export function checkedResponseCodec({ responseCodec, descriptor }: MethodDefinition): MessageCodec<unknown, unknown> {
  return descriptor === undefined ? responseCodec : new CheckedCodec(responseCodec, descriptor.output);
}

/** The same for requests. */
export function checkedRequestCodec({ requestCodec, descriptor }: MethodDefinition): MessageCodec<unknown, unknown> {
  return descriptor === undefined ? requestCodec : new CheckedCodec(requestCodec, descriptor.input);
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
