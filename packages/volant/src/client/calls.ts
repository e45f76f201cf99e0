/**
 * The four kinds of call as users hold them: a promise, an iterable, or an object to write into. Owns how messages go in
 * and out of a {@link ClientStream}; the stream owns the rest.
 */
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { MessageQueue } from "../stream/message-queue.ts";
import { type AnyIterable, Pump, type PumpTarget } from "../stream/pump.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import type { CallOptions } from "./call-options.ts";
import type { Channel } from "./channel.ts";
import { type CallSurface, ClientStream } from "./client-stream.ts";

type Settle = {
  readonly resolve: (message: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** Exactly one response message, however the request is sent. */
class SingleResponse {
  private message: unknown = undefined;
  private count = 0;

  onMessage(stream: ClientStream, message: unknown, cost: number): void {
    stream.taken(cost);
    this.message = message;
    // gRPC PROTOCOL-HTTP2: a second message where one belongs is UNIMPLEMENTED.
    if (++this.count > 1) stream.abort(cardinality("more than one message"));
  }

  settle(status: Status, { resolve, reject }: Settle): void {
    if (status.code !== StatusCode.OK) reject(errorOf(status));
    else if (this.count === 0) reject(cardinality("no message"));
    else resolve(this.message);
  }
}

function cardinality(what: string): RpcError {
  const text = `the response has ${what}, this method answers with exactly one`;
  return createRpcError("client", StatusCode.UNIMPLEMENTED, text);
}

function errorOf(status: Status): unknown {
  return status instanceof Error ? status : createRpcError("client", status.code, status.message);
}

/** The request could not be made: a bad message, or an iterable that failed. */
function requestFailure(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return createRpcError("client", StatusCode.INTERNAL, `the request cannot be sent: ${message}`, { cause: error });
}

/** Sends the one request message of unary and server-streaming calls. */
function sendOnly(stream: ClientStream, request: unknown): void {
  try {
    stream.sendLast(request);
  } catch (error) {
    stream.abort(requestFailure(error));
  }
}

class UnarySurface implements CallSurface {
  readonly isReplayable = true;
  private readonly request: unknown;
  private readonly settle: Settle;
  private readonly response = new SingleResponse();
  private stream: ClientStream | undefined;

  constructor(request: unknown, settle: Settle) {
    this.request = request;
    this.settle = settle;
  }

  onStarted(stream: ClientStream): void {
    this.stream = stream;
    sendOnly(stream, this.request);
  }

  onMessage(message: unknown, cost: number): void {
    this.response.onMessage(this.stream!, message, cost);
  }

  onWritable(): void {}

  onEnded(status: Status): void {
    this.response.settle(status, this.settle);
  }
}

export function callUnary(
  channel: Channel,
  method: BoundClientMethod,
  request: unknown,
  options: CallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const surface = new UnarySurface(request, { resolve, reject });
    new ClientStream(channel, method, options, surface).start();
  });
}

/** The writing half of a client-streaming or bidirectional call. */
class RequestWriter implements PumpTarget {
  readonly stream: ClientStream;
  private readonly started: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private pump: Pump | undefined;
  private isStarted = false;
  private isEnding = false;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  onStarted(): void {
    this.isStarted = true;
    this.started.resolve();
  }

  /** Sends what the iterable has, then half-closes; its failure is the call's. */
  sendAll(requests: AnyIterable): void {
    this.pumpAll(requests).catch((error) => this.stream.abort(requestFailure(error)));
  }

  private async pumpAll(requests: AnyIterable): Promise<void> {
    this.pump = new Pump(requests, this);
    await this.started.promise;
    await this.pump.run();
    this.stream.halfClose();
  }

  /** One message by hand: resolves when there is room for the next. */
  async write(message: unknown): Promise<void> {
    if (this.isEnding) throw new TypeError("end() was called: nothing can be sent on this call any more");
    if (!this.isStarted) await this.started.promise;
    if (this.isDone) throw createRpcError("client", StatusCode.CANCELLED, "the call has ended: nothing can be sent any more");
    this.stream.send(message);
    await this.stream.whenWritable();
  }

  end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    if (this.isStarted) this.stream.halfClose();
    else this.started.promise.then(() => this.stream.halfClose());
  }

  /** The call is over: whoever waits goes on and sees, and a generator learns that nobody reads it. */
  onEnded(): void {
    this.started.resolve();
    // A failure of the generator's clean-up has no call left to tell it to; it goes where uncaught errors go.
    this.pump?.cancel((error) => queueMicrotask(() => Promise.reject(error)));
  }

  send(message: unknown): void {
    this.stream.send(message);
  }

  whenWritable(): Promise<void> | undefined {
    return this.stream.whenWritable();
  }

  get isDone(): boolean {
    return this.stream.isEnded;
  }
}

/** Common to the surfaces with a request stream. Nothing is sent before they start, so a refusal can be repeated. */
abstract class StreamingSurface implements CallSurface {
  readonly stream: ClientStream;
  protected readonly writer: RequestWriter;
  private begun = false;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions) {
    this.stream = new ClientStream(channel, method, options, this);
    this.writer = new RequestWriter(this.stream);
  }

  get isReplayable(): boolean {
    return !this.begun;
  }

  onStarted(_stream: ClientStream): void {
    this.begun = true;
    this.writer.onStarted();
  }

  onWritable(): void {}

  onEnded(status: Status): void {
    this.settle(status);
    this.writer.onEnded();
  }

  /** Writes one message; resolves when there is room for the next. Rejects once the call has ended. */
  send(message: unknown): Promise<void> {
    return this.writer.write(message);
  }

  /** Half-closes: no message follows. */
  end(): void {
    this.writer.end();
  }

  cancel(): void {
    this.stream.cancel();
  }

  abstract onMessage(message: unknown, cost: number): void;
  protected abstract settle(status: Status): void;
}

/** A client-streaming call: write into it, then await it. */
export class UploadCall extends StreamingSurface {
  private readonly response = new SingleResponse();
  private readonly outcome: PromiseWithResolvers<unknown> = Promise.withResolvers<unknown>();

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, requests: AnyIterable | undefined) {
    super(channel, method, options);
    // Whoever awaits the call sees the failure; one that nobody awaits must not end the process.
    this.outcome.promise.catch(() => undefined);
    this.stream.start();
    if (requests !== undefined) this.writer.sendAll(requests);
  }

  /** The one response. */
  get promise(): Promise<unknown> {
    return this.outcome.promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: a call that is awaited is the documented surface
  then<A, B>(
    onFulfilled?: ((message: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.outcome.promise.then(onFulfilled, onRejected) as Promise<A | B>;
  }

  onMessage(message: unknown, cost: number): void {
    this.response.onMessage(this.stream, message, cost);
  }

  protected settle(status: Status): void {
    this.response.settle(status, this.outcome);
  }
}

/** The reading half of server-streaming and bidirectional calls. */
function responseQueue(stream: () => ClientStream): MessageQueue {
  return new MessageQueue(
    (cost) => stream().taken(cost),
    () => stream().cancel("the reader left the stream"),
  );
}

function endQueue(queue: MessageQueue, status: Status): void {
  if (status.code === StatusCode.OK) queue.end();
  else queue.fail(errorOf(status), status instanceof RpcError && isServerStatus(status));
}

/** A status that the server sent comes after its messages; a local end drops what nobody took. */
function isServerStatus(status: RpcError): boolean {
  return status.code !== StatusCode.CANCELLED && status.code !== StatusCode.DEADLINE_EXCEEDED;
}

/** A server-streaming call: iterate it. Leaving the loop cancels the call. */
export class DownloadCall implements CallSurface, AsyncIterable<unknown> {
  readonly isReplayable = true;
  private readonly stream: ClientStream;
  private readonly request: unknown;
  private readonly queue: MessageQueue;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, request: unknown) {
    this.request = request;
    this.stream = new ClientStream(channel, method, options, this);
    this.queue = responseQueue(() => this.stream);
    this.stream.start();
  }

  cancel(): void {
    this.stream.cancel();
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return this.queue;
  }

  onStarted(stream: ClientStream): void {
    sendOnly(stream, this.request);
  }

  onMessage(message: unknown, cost: number): void {
    this.queue.push(message, cost);
  }

  onWritable(): void {}

  onEnded(status: Status): void {
    endQueue(this.queue, status);
  }
}

/** A bidirectional call: write into it and iterate it. Leaving the loop cancels the call. */
export class DuplexCall extends StreamingSurface implements AsyncIterable<unknown> {
  private readonly queue: MessageQueue;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, requests: AnyIterable | undefined) {
    super(channel, method, options);
    this.queue = responseQueue(() => this.stream);
    this.stream.start();
    if (requests !== undefined) this.writer.sendAll(requests);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return this.queue;
  }

  onMessage(message: unknown, cost: number): void {
    this.queue.push(message, cost);
  }

  protected settle(status: Status): void {
    endQueue(this.queue, status);
  }
}
