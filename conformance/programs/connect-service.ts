/**
 * connectrpc's ConformanceService as its comments define it: each request says what to answer. `raw_response` is not here:
 * only the suite's own servers get it. `unimplemented` has no handler on purpose.
 */
import { setTimeout as delay } from "node:timers/promises";
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { errorDetail, type Handlers, RpcError, type ServerCall, type StatusCode } from "volant";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "../gen/connectrpc/conformance/v1/service_pb.ts";
import { toHeaders, toMetadata } from "./connect-messages.ts";

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;

export const conformanceHandlers: Partial<Handlers<typeof ConformanceService>> = {
  async unary(request, call) {
    return { payload: await answerOnce(call, request.responseDefinition, [anyPack(UnaryRequestSchema, request)]) };
  },

  async idempotentUnary(request, call) {
    const requests = [anyPack(IdempotentUnaryRequestSchema, request)];
    return { payload: await answerOnce(call, request.responseDefinition, requests) };
  },

  async clientStream(requests, call) {
    let definition: UnaryResponseDefinition | undefined;
    const received: Any[] = [];
    for await (const request of requests) {
      if (received.length === 0) definition = request.responseDefinition;
      received.push(anyPack(ClientStreamRequestSchema, request));
    }
    return { payload: await answerOnce(call, definition, received) };
  },

  async *serverStream(request, call) {
    const answers = new AnswerStream(call, request.responseDefinition);
    const received = pack(ServerStreamRequestSchema, request);
    while (answers.hasNext) yield { payload: await answers.next(received) };
    answers.finish(received);
  },

  async *bidiStream(requests, call) {
    let answers: AnswerStream | undefined;
    let isFullDuplex = false;
    let received: Any[] = [];
    for await (const request of requests) {
      if (answers === undefined) {
        answers = new AnswerStream(call, request.responseDefinition);
        isFullDuplex = request.fullDuplex;
      }
      received.push(anyPack(BidiStreamRequestSchema, request));
      if (!isFullDuplex) continue;
      if (!answers.hasNext) break;
      yield { payload: await answers.next(received, true) };
      received = [];
    }
    while (answers?.hasNext) yield { payload: await answers.next(received) };
    answers?.finish(received);
  },
};

/** The answers of a stream in their order. The first of them says what was requested. */
class AnswerStream {
  private readonly call: ServerCall;
  private readonly definition: StreamResponseDefinition | undefined;
  private sent = 0;

  /** Sends the headers: clients wait for them before anything else. */
  constructor(call: ServerCall, definition: StreamResponseDefinition | undefined) {
    this.call = call;
    this.definition = definition;
    if (definition === undefined) return;
    call.headers.merge(toMetadata(definition.responseHeaders));
    call.trailers.merge(toMetadata(definition.responseTrailers));
    call.sendHeaders();
  }

  get hasNext(): boolean {
    return this.sent < (this.definition?.responseData.length ?? 0);
  }

  /** `isEcho`: later answers say what was requested since the last one. */
  async next(received: readonly Any[], isEcho = false): Promise<Payload> {
    await pause(this.call, this.definition?.responseDelayMs);
    const data = this.definition?.responseData[this.sent++] ?? new Uint8Array();
    if (this.sent === 1) return { data, requestInfo: requestInfo(this.call, received) };
    return isEcho ? { data, requestInfo: { requests: [...received] } } : { data };
  }

  /** Throws the error that the definition ends with. */
  finish(received: readonly Any[]): void {
    const error = this.definition?.error;
    if (error === undefined) return;
    throw rpcError(error, this.sent === 0 ? requestInfo(this.call, received) : undefined);
  }
}

async function answerOnce(
  call: ServerCall,
  definition: UnaryResponseDefinition | undefined,
  received: readonly Any[],
): Promise<Payload> {
  if (definition === undefined) return { requestInfo: requestInfo(call, received) };
  call.headers.merge(toMetadata(definition.responseHeaders));
  call.trailers.merge(toMetadata(definition.responseTrailers));
  await pause(call, definition.responseDelayMs);
  const info = requestInfo(call, received);
  const { response } = definition;
  if (response.case === "error") throw rpcError(response.value, info);
  return response.case === "responseData" ? { data: response.value, requestInfo: info } : { requestInfo: info };
}

async function pause(call: ServerCall, ms = 0): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal: call.signal });
}

function requestInfo(call: ServerCall, requests: readonly Any[]): ConformancePayload_RequestInfo {
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: toHeaders(call.metadata),
    requests: [...requests],
    ...(call.deadline !== undefined && { timeoutMs: BigInt(Math.floor(call.remainingMs)) }),
  });
}

/** The suite's codes are those of gRPC. */
function rpcError(
  { code, message, details }: ErrorDefinition,
  info: ConformancePayload_RequestInfo | undefined,
): RpcError {
  const added = info === undefined ? [] : [errorDetail(ConformancePayload_RequestInfoSchema, info)];
  return new RpcError(code as number as StatusCode, message ?? "", { details: [...details, ...added] });
}

function pack<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any[] {
  return [anyPack(schema, message)];
}
