/**
 * `createClient`: a service and a channel become an object with one typed function per method. Owns the types of
 * that object; calls are made by `unary-call.ts` and `streaming-calls.ts`.
 */
import type {
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { checkInterceptors } from "../rpc/hooks.ts";
import {
  type MethodDefinition,
  type MethodKind,
  methodsOf,
  type SafeMethods,
  type ServiceSource,
  type TypedMethod,
} from "../rpc/method.ts";
import { checkOptions, describeGiven, isOptionsObject, type OptionTable } from "../rpc/option-names.ts";
import { checkService } from "../rpc/service-shape.ts";
import { type AnyIterable, isIterable } from "../stream/pump.ts";
import { type BoundClientMethod, bindMethod } from "./bound-method.ts";
import { type CallOptions, NO_OPTIONS } from "./call-options.ts";
import type { Channel } from "./channel.ts";
import type { ClientInterceptor } from "./client-interceptor.ts";
import { DownloadCall, DuplexCall, UploadCall } from "./streaming-calls.ts";
import { callUnary } from "./unary-call.ts";

/** Messages to send: any iterable. */
export type Requests<In> = Iterable<In> | AsyncIterable<In>;

/** A server-streaming call. Leaving its loop cancels it. */
export interface ServerStreamingCall<Out> extends AsyncIterable<Out> {
  cancel(): void;
}

/** What a call is written through where there is no iterable to give. */
export interface RequestSink<In> {
  /**
   * Resolves when there is room for the next message. Rejects once the call has ended, with its error; the call tells it
   * too, so this promise may be ignored. A message that cannot be encoded ends the call.
   */
  send(message: In): Promise<void>;
  /** Half-closes: no message follows. */
  end(): void;
  cancel(): void;
}

/** A client-streaming call: write into it, end it, await it. */
export interface ClientStreamingCall<In, Out> extends RequestSink<In>, PromiseLike<Out> {}

/** A bidirectional call: write into it and iterate it. */
export interface BidiStreamingCall<In, Out> extends RequestSink<In>, AsyncIterable<Out> {}

type AnyMethods = ServiceSource["method"];

type UnaryMethod<In, Out> = (request: In, options?: CallOptions) => Promise<Out>;

type ServerStreamingMethod<In, Out> = (request: In, options?: CallOptions) => ServerStreamingCall<Out>;

interface ClientStreamingMethod<In, Out> {
  (requests: Requests<In>, options?: CallOptions): Promise<Out>;
  (requests?: undefined, options?: CallOptions): ClientStreamingCall<In, Out>;
}

interface BidiStreamingMethod<In, Out> {
  (requests: Requests<In>, options?: CallOptions): BidiStreamingCall<In, Out>;
  (requests?: undefined, options?: CallOptions): BidiStreamingCall<In, Out>;
}

interface MethodsByKind<In, Out> {
  unary: UnaryMethod<In, Out>;
  server_streaming: ServerStreamingMethod<In, Out>;
  client_streaming: ClientStreamingMethod<In, Out>;
  bidi_streaming: BidiStreamingMethod<In, Out>;
}

/** Where the types do not tell the kind: which half of the result is there depends on the method. */
type MethodOfAnyKind<In, Out> = (
  request?: In | Requests<In>,
  options?: CallOptions,
) => Promise<Out> & BidiStreamingCall<In, Out>;

type MethodOfKind<Kind extends MethodKind, In, Out> = [MethodKind] extends [Kind]
  ? MethodOfAnyKind<In, Out>
  : MethodsByKind<In, Out>[Kind];

export type ClientMethod<Method extends AnyMethods[string]> =
  Method extends DescMethodUnary<infer In, infer Out>
    ? UnaryMethod<MessageInitShape<In>, MessageShape<Out>>
    : Method extends DescMethodServerStreaming<infer In, infer Out>
      ? ServerStreamingMethod<MessageInitShape<In>, MessageShape<Out>>
      : Method extends DescMethodClientStreaming<infer In, infer Out>
        ? ClientStreamingMethod<MessageInitShape<In>, MessageShape<Out>>
        : Method extends DescMethodBiDiStreaming<infer In, infer Out>
          ? BidiStreamingMethod<MessageInitShape<In>, MessageShape<Out>>
          : Method extends TypedMethod<infer Kind, infer _In, infer InInit, infer Out, infer _OutInit>
            ? MethodOfKind<Kind, InInit, Out>
            : never;

/**
 * One function for each method of the service, by its local name; that of an RPC `Then` is `then$`, so that a client can be
 * awaited.
 */
export type Client<Service extends ServiceSource> = {
  [Name in keyof SafeMethods<Service["method"]>]: ClientMethod<
    Extract<SafeMethods<Service["method"]>[Name], AnyMethods[string]>
  >;
};

export interface ClientOptions {
  /** Policies of this client, inside those of its channel. */
  readonly interceptors?: readonly ClientInterceptor[];
}

type AnyClientMethod = (request: unknown, options?: CallOptions) => unknown;

const CLIENT_OPTIONS = { interceptors: true } as const satisfies OptionTable<ClientOptions>;

/**
 * A client of `service` over `channel`. Cheap: a channel may have any number of clients. Throws TypeError for what is no
 * service or no channel, for unknown options, and where two methods of the service would have the same name.
 */
export function createClient<Service extends ServiceSource>(
  service: Service,
  channel: Channel,
  options: ClientOptions = {},
): Client<Service> {
  checkService("createClient()", service);
  checkChannel(channel);
  checkOptions("createClient()", options, CLIENT_OPTIONS);
  checkInterceptors(options.interceptors);
  const client: Record<string, AnyClientMethod> = {};
  for (const definition of methodsOf(service)) {
    const method = bindMethod(channel, definition, options.interceptors ?? []);
    client[definition.localName] = callerOf(channel, method, definition);
  }
  return client as unknown as Client<Service>;
}

/** By its shape: one of another copy of the package is a channel too. */
function checkChannel(given: unknown): void {
  const { start, postpone, options } = (given ?? {}) as { readonly [Name in keyof Channel]?: unknown };
  if (typeof start === "function" && typeof postpone === "function" && isOptionsObject(options)) return;
  const target = typeof given === "string" ? JSON.stringify(given) : '"host:port"';
  throw new TypeError(
    `createClient(): ${describeGiven(given)} given as channel; make one: createClient(Service, new Channel(${target}))`,
  );
}

function callerOf(channel: Channel, method: BoundClientMethod, definition: MethodDefinition): AnyClientMethod {
  switch (definition.kind) {
    case "unary":
      return (request, options = NO_OPTIONS) => callUnary(channel, method, request, options);
    case "server_streaming":
      return (request, options = NO_OPTIONS) => new DownloadCall(channel, method, options, request);
    case "client_streaming":
      return (requests, options = NO_OPTIONS) => {
        if (requests === undefined) return new UploadCall(channel, method, options, undefined);
        return uploadAll(channel, method, options, () => requestsOf(requests, definition));
      };
    case "bidi_streaming":
      return (requests, options = NO_OPTIONS) =>
        new DuplexCall(channel, method, options, requestsOf(requests, definition));
  }
}

/** Async, so that whoever is given a promise finds illegal arguments there too. */
async function uploadAll(
  channel: Channel,
  method: BoundClientMethod,
  options: CallOptions,
  requests: () => AnyIterable | undefined,
): Promise<unknown> {
  return new UploadCall(channel, method, options, requests()).promise;
}

function requestsOf(requests: unknown, definition: MethodDefinition): AnyIterable | undefined {
  if (requests === undefined || isIterable(requests)) return requests;
  throw new TypeError(
    `${definition.localName} was given ${describeGiven(requests)}; it takes an iterable of ` +
      "messages, or nothing to send them by hand",
  );
}
