/**
 * Service definitions in the shape of `@grpc/grpc-js`, as proto-loader, grpc-tools and ts-proto make them, and what their types
 * tell about a service. Owns types only. Must not know grpc-js: the shape is all that counts, whichever package wrote it.
 */
import type { MethodKind, SafeName, ServiceDefinition, TypedMethod } from "../rpc/method.ts";

/** One method: its path, which sides stream, and four functions between messages and bytes. */
export interface GrpcJsMethod {
  /** "/user.UserService/GetUser". */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: never) => Uint8Array;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (message: never) => Uint8Array;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** A service definition whose every member is a method. */
export type GrpcJsDefinition<Definition> = { readonly [Key in keyof Definition]: GrpcJsMethod };

/** Names that the language calls on any object: a client with a method of such a name would make calls when it is printed. */
export type LanguageName = "constructor" | "toString" | "toJSON" | "valueOf";

/**
 * The name in handlers and clients: `GetUser` and `getUser` are `getUser`, `get_user` is `getUser` too. `ToString`, `Then` and the
 * like end in `$`, as the names of protobuf-es do.
 */
export type LocalName<Name extends string> = Escaped<WithoutUnderscores<Uncapitalize<Name>>>;

type Escaped<Name extends string> = Name extends LanguageName ? `${Name}$` : SafeName<Name>;

type WithoutUnderscores<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<WithoutUnderscores<Tail>>}`
  : Name;

/** The service that a definition becomes. */
export type GrpcJsService<Definition extends GrpcJsDefinition<Definition>> = ServiceDefinition<MethodsOf<Definition>>;

/**
 * Types that proto-loader's generator makes add their methods to an index signature; only the methods are meant. Where there is
 * nothing but the index signature, every name may be a method.
 */
type MethodsOf<Definition extends GrpcJsDefinition<Definition>> = {
  readonly [Name in NamesOf<Definition> as LocalName<Name>]: MethodOf<Definition[Name]>;
};

type NamesOf<Definition> = [KnownNames<Definition>] extends [never]
  ? keyof Definition & string
  : KnownNames<Definition>;

type KnownNames<Definition> = keyof {
  [Name in keyof Definition as string extends Name ? never : Name extends string ? Name : never]: unknown;
} &
  keyof Definition &
  string;

type MethodOf<Method> = Method extends GrpcJsMethod
  ? TypedMethod<
      KindOf<Method["requestStream"], Method["responseStream"]>,
      Message<ReturnType<Method["requestDeserialize"]>>,
      Message<Parameters<Method["requestSerialize"]>[0]>,
      Message<ReturnType<Method["responseDeserialize"]>>,
      Message<Parameters<Method["responseSerialize"]>[0]>
    >
  : never;

/** Every kind where a side is a plain `boolean`. */
type KindOf<RequestStream extends boolean, ResponseStream extends boolean> = boolean extends RequestStream
  ? MethodKind
  : boolean extends ResponseStream
    ? MethodKind
    : RequestStream extends true
      ? ResponseStream extends true
        ? "bidi_streaming"
        : "client_streaming"
      : ResponseStream extends true
        ? "server_streaming"
        : "unary";

/** proto-loader types a message as `object` where it generated no types: nobody knows its fields, so nobody checks them. */
// biome-ignore lint/suspicious/noExplicitAny: the message of a definition without types
type Message<Type> = IsSame<Type, object> extends true ? any : Type;

type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
