/**
 * The handlers of a service as its author writes them: types derived from its descriptor or definition. Owns no behaviour.
 */
import type {
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { ServerCall } from "../rpc/call.ts";
import type { MethodKind, SafeMethods, ServiceSource, TypedMethod } from "../rpc/method.ts";

type AnyMethods = ServiceSource["method"];

/** One handler for each kind of method. */
interface HandlersByKind<In, Out> {
  unary: (request: In, call: ServerCall) => Out | Promise<Out>;
  server_streaming: (request: In, call: ServerCall) => Iterable<Out> | AsyncIterable<Out>;
  client_streaming: (requests: AsyncIterable<In>, call: ServerCall) => Out | Promise<Out>;
  bidi_streaming: (requests: AsyncIterable<In>, call: ServerCall) => Iterable<Out> | AsyncIterable<Out>;
}

/** Where the types do not tell the kind, its author does: what is used of the request, and what is returned. */
type HandlerOfAnyKind<In, Out> = (
  request: In & AsyncIterable<In>,
  call: ServerCall,
) => Out | Promise<Out> | Iterable<Out> | AsyncIterable<Out>;

type HandlerOfKind<Kind extends MethodKind, In, Out> = [MethodKind] extends [Kind]
  ? HandlerOfAnyKind<In, Out>
  : HandlersByKind<In, Out>[Kind];

export type Handler<Method extends AnyMethods[string]> =
  Method extends DescMethodUnary<infer In, infer Out>
    ? HandlersByKind<MessageShape<In>, MessageInitShape<Out>>["unary"]
    : Method extends DescMethodServerStreaming<infer In, infer Out>
      ? HandlersByKind<MessageShape<In>, MessageInitShape<Out>>["server_streaming"]
      : Method extends DescMethodClientStreaming<infer In, infer Out>
        ? HandlersByKind<MessageShape<In>, MessageInitShape<Out>>["client_streaming"]
        : Method extends DescMethodBiDiStreaming<infer In, infer Out>
          ? HandlersByKind<MessageShape<In>, MessageInitShape<Out>>["bidi_streaming"]
          : Method extends TypedMethod<infer Kind, infer In, infer _InInit, infer _Out, infer OutInit>
            ? HandlerOfKind<Kind, In, OutInit>
            : never;

/** One handler for each method of the service, by its local name; that of an RPC `Then` is `then$`. */
export type Handlers<Service extends ServiceSource> = {
  [Name in keyof SafeMethods<Service["method"]>]: Handler<
    Extract<SafeMethods<Service["method"]>[Name], AnyMethods[string]>
  >;
};
