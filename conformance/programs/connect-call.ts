/**
 * One call as connectrpc's conformance suite asks for it: what to send, when to cancel, and everything that came back.
 * Owns the order of these things for each kind of call; the channel is the caller's.
 *
 * A cancelled call is read on as if it were not, so that the suite sees what cancelling makes of it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type CallOptions, type Client, Metadata, type RequestSink, RpcError } from "volant";
import {
  type ClientCompatRequest,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from "../gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { type Code, StreamType } from "../gen/connectrpc/conformance/v1/config_pb.ts";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorResult,
  ErrorSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  UnimplementedRequestSchema,
} from "../gen/connectrpc/conformance/v1/service_pb.ts";
import { toHeaders, toMetadata } from "./connect-messages.ts";

type ConformanceClient = Client<typeof ConformanceService>;
type Answer = { readonly payload?: ConformancePayload | undefined };
type Answers = AsyncIterator<Answer>;

/** Throws what is no outcome of the call: a request that the suite must not make. */
export async function invoke(client: ConformanceClient, request: ClientCompatRequest): Promise<ClientResponseResult> {
  const call = new ObservedCall(request);
  try {
    await start(client, request, call);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    call.error = toError(error);
  }
  return call.result();
}

function start(client: ConformanceClient, request: ClientCompatRequest, call: ObservedCall): Promise<void> {
  const { options } = call;
  switch (request.method) {
    case "Unary":
      return unary(call, client.unary(only(request, UnaryRequestSchema), options));
    case "IdempotentUnary":
      return unary(call, client.idempotentUnary(only(request, IdempotentUnaryRequestSchema), options));
    case "Unimplemented":
      return unary(
        call,
        client.unimplemented(only(request, UnimplementedRequestSchema), options).then(() => ({})),
      );
    case "ServerStream": {
      const answers = client.serverStream(only(request, ServerStreamRequestSchema), options);
      return download(call, answers[Symbol.asyncIterator]());
    }
    case "ClientStream": {
      const upload = client.clientStream(undefined, options);
      return send(call, upload, ClientStreamRequestSchema).then(async () => call.take(await upload));
    }
    case "BidiStream":
      return duplex(call, client.bidiStream(undefined, options));
    default:
      throw new Error(`the service has no method ${request.method}`);
  }
}

async function unary(call: ObservedCall, response: Promise<Answer>): Promise<void> {
  call.cancelAfterEnd();
  call.take(await response);
}

async function download(call: ObservedCall, answers: Answers): Promise<void> {
  call.cancelAfterEnd();
  while (await call.takeNext(answers));
}

async function duplex(
  call: ObservedCall,
  stream: RequestSink<MessageShape<typeof BidiStreamRequestSchema>> & AsyncIterable<Answer>,
): Promise<void> {
  const answers = stream[Symbol.asyncIterator]();
  const isFullDuplex = call.request.streamType === StreamType.FULL_DUPLEX_BIDI_STREAM;
  await send(call, stream, BidiStreamRequestSchema, isFullDuplex ? answers : undefined);
  while (await call.takeNext(answers));
}

/** Sends every request, and with `answers` takes one after each. Does not throw: reading tells how the call ended. */
async function send<Desc extends DescMessage>(
  call: ObservedCall,
  sink: RequestSink<MessageShape<Desc>>,
  schema: Desc,
  answers?: Answers,
): Promise<void> {
  const { requestMessages, requestDelayMs } = call.request;
  for (const [at, packed] of requestMessages.entries()) {
    if (requestDelayMs > 0) await delay(requestDelayMs);
    try {
      await sink.send(unpack(packed, schema));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      call.unsent = requestMessages.length - at;
      return;
    }
    if (answers !== undefined && !(await call.takeNext(answers))) break;
  }
  if (call.request.cancel?.cancelTiming.case === "beforeCloseSend") call.cancel();
  else sink.end();
  call.cancelAfterEnd();
}

/** What is seen of a call, and its cancellation. */
class ObservedCall {
  readonly request: ClientCompatRequest;
  readonly options: CallOptions;
  error: ErrorResult | undefined = undefined;
  unsent = 0;
  private readonly payloads: ConformancePayload[] = [];
  private readonly controller = new AbortController();
  private headers = new Metadata();
  private trailers = new Metadata();

  constructor(request: ClientCompatRequest) {
    this.request = request;
    this.options = {
      metadata: toMetadata(request.requestHeaders),
      signal: this.controller.signal,
      onHeaders: (headers) => {
        this.headers = headers;
      },
      onTrailers: (trailers) => {
        this.trailers = trailers;
      },
      ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    };
  }

  cancel(): void {
    this.controller.abort();
  }

  /** To be called when the requests have ended: the cancellation that counts from there. */
  cancelAfterEnd(): void {
    const { cancel } = this.request;
    if (cancel === undefined) return;
    const { case: kind, value } = cancel.cancelTiming;
    if (kind === "afterCloseSendMs") setTimeout(() => this.cancel(), value);
    else if (kind === undefined) this.cancel();
  }

  take({ payload }: Answer): void {
    this.payloads.push(payload ?? create(ConformancePayloadSchema));
    const timing = this.request.cancel?.cancelTiming;
    if (timing?.case === "afterNumResponses" && timing.value === this.payloads.length) this.cancel();
  }

  /** Whether there was one. */
  async takeNext(answers: Answers): Promise<boolean> {
    const { done, value } = await answers.next();
    if (done === true) return false;
    this.take(value);
    return true;
  }

  result(): ClientResponseResult {
    return create(ClientResponseResultSchema, {
      responseHeaders: toHeaders(this.headers),
      responseTrailers: toHeaders(this.trailers),
      payloads: this.payloads,
      numUnsentRequests: this.unsent,
      ...(this.error !== undefined && { error: this.error }),
    });
  }
}

function only<Desc extends DescMessage>({ requestMessages }: ClientCompatRequest, schema: Desc): MessageShape<Desc> {
  const [first, ...more] = requestMessages;
  if (first === undefined || more.length > 0) throw new Error(`${requestMessages.length} requests, 1 is allowed`);
  return unpack(first, schema);
}

function unpack<Desc extends DescMessage>(packed: Any, schema: Desc): MessageShape<Desc> {
  const message = anyUnpack(packed, schema);
  if (message === undefined) throw new Error(`a request is a ${packed.typeUrl}, ${schema.typeName} is allowed`);
  return message;
}

/** The suite's codes are those of gRPC. */
function toError({ code, message, details }: RpcError): ErrorResult {
  const received = details.flatMap((detail): Any[] => ("schema" in detail ? [] : [detail]));
  return create(ErrorSchema, { code: code as number as Code, message, details: received });
}
