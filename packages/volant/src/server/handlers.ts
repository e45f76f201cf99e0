/**
 * The handlers of a service as its author writes them: types derived from the descriptor. Owns no behaviour.
 */
import type {
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { ServerCall } from "../rpc/call.ts";

type AnyMethods = DescService["method"];

export type Handler<Method extends AnyMethods[string]> =
  Method extends DescMethodUnary<infer In, infer Out>
    ? (request: MessageShape<In>, call: ServerCall) => MessageInitShape<Out> | Promise<MessageInitShape<Out>>
    : Method extends DescMethodServerStreaming<infer In, infer Out>
      ? (
          request: MessageShape<In>,
          call: ServerCall,
        ) => Iterable<MessageInitShape<Out>> | AsyncIterable<MessageInitShape<Out>>
      : Method extends DescMethodClientStreaming<infer In, infer Out>
        ? (
            requests: AsyncIterable<MessageShape<In>>,
            call: ServerCall,
          ) => MessageInitShape<Out> | Promise<MessageInitShape<Out>>
        : Method extends DescMethodBiDiStreaming<infer In, infer Out>
          ? (
              requests: AsyncIterable<MessageShape<In>>,
              call: ServerCall,
            ) => Iterable<MessageInitShape<Out>> | AsyncIterable<MessageInitShape<Out>>
          : never;

/** One handler for each method of the service, by its local name. */
export type Handlers<Service extends DescService> = {
  [Name in keyof Service["method"]]: Handler<Service["method"][Name]>;
};
