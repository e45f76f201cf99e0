/**
 * The calls with a stream as users hold them: a promise, an iterable, or an object to write into. Owns how messages go in
 * and out of a {@link ClientStream}; the stream owns the rest.
 */
import { type Status, StatusCode } from "../rpc/status.ts";
import { MessageQueue } from "../stream/message-queue.ts";
import type { AnyIterable } from "../stream/pump.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import type { CallOptions } from "./call-options.ts";
import { rejectForCaller } from "./caller-stack.ts";
import type { Channel } from "./channel.ts";
import { type CallSurface, ClientStream } from "./client-stream.ts";
import { checkRequest, errorOf } from "./local-failure.ts";
import { RequestWriter } from "./request-writer.ts";
import { SingleResponse, sendOnly } from "./unary-call.ts";

/** Common to the surfaces with a request stream. */
abstract class StreamingSurface implements CallSurface {
  protected readonly stream: ClientStream;
  protected readonly writer: RequestWriter;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions) {
    this.stream = new ClientStream(channel, method, options, this);
    this.writer = new RequestWriter(this.stream);
  }

  onStarted(_stream: ClientStream): void {
    this.writer.onStarted();
  }

  onAttemptLost(): void {
    this.writer.onAttemptLost();
  }

  onEnded(status: Status, isAbandoned: boolean): void {
    this.settle(status, isAbandoned);
    this.writer.onEnded(status);
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
  protected abstract settle(status: Status, isAbandoned: boolean): void;
}

/**
 * The response of an upload, whose promise is made when somebody asks for it. The upload is written into first and may fail
 * meanwhile: a promise made in advance would be an unhandled rejection, and one that was handled elsewhere no longer
 * leads to the code that awaits it.
 */
class UploadResponse extends SingleResponse {
  private outcome: PromiseWithResolvers<unknown> | undefined = undefined;
  /** Settles the promise that is asked for after the end. */
  private settleLate: ((resolve: (value: unknown) => void) => void) | undefined = undefined;

  constructor() {
    super((message) => this.settleWith((resolve) => resolve(message)));
  }

  get promise(): Promise<unknown> {
    if (this.outcome === undefined) {
      this.outcome = Promise.withResolvers<unknown>();
      this.settleLate?.(this.outcome.resolve);
    }
    return this.outcome.promise;
  }

  protected override reject(error: unknown): void {
    this.settleWith((resolve) => rejectForCaller(resolve, error));
  }

  private settleWith(settle: (resolve: (value: unknown) => void) => void): void {
    if (this.outcome === undefined) this.settleLate = settle;
    else settle(this.outcome.resolve);
  }
}

/** A client-streaming call: write into it, then await it. */
export class UploadCall extends StreamingSurface {
  private readonly response = new UploadResponse();

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, requests: AnyIterable | undefined) {
    super(channel, method, options);
    this.stream.start();
    if (requests !== undefined) this.writer.sendAll(requests);
  }

  /** Of the one response. */
  get promise(): Promise<unknown> {
    return this.response.promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: a call that is awaited is the documented surface
  then<A, B>(
    onFulfilled?: ((message: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise.then(onFulfilled, onRejected) as Promise<A | B>;
  }

  onMessage(message: unknown, cost: number): void {
    this.response.take(this.stream, message, cost);
  }

  protected settle(status: Status): void {
    this.response.settle(status, this.stream.method.definition);
  }
}

/** The reading half of server-streaming and bidirectional calls. */
function responseQueue(stream: ClientStream): MessageQueue {
  return new MessageQueue(
    (cost) => stream.taken(cost),
    () => stream.cancel("the reader left the stream"),
    ({ resolve }, error) => rejectForCaller(resolve, error),
  );
}

/** What arrived before the status is delivered before it, unless this side gave the call up. */
function endQueue(queue: MessageQueue, status: Status, isAbandoned: boolean): void {
  if (status.code === StatusCode.OK) queue.end();
  else queue.fail(errorOf(status), !isAbandoned);
}

/** A server-streaming call: iterate it. Leaving the loop cancels the call. */
export class DownloadCall implements CallSurface, AsyncIterable<unknown> {
  private readonly stream: ClientStream;
  private readonly request: unknown;
  private readonly queue: MessageQueue;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, request: unknown) {
    checkRequest(request, method.definition);
    this.request = request;
    this.stream = new ClientStream(channel, method, options, this);
    this.queue = responseQueue(this.stream);
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

  onAttemptLost(): void {}

  onMessage(message: unknown, cost: number): void {
    this.queue.push(message, cost);
  }

  onEnded(status: Status, isAbandoned: boolean): void {
    endQueue(this.queue, status, isAbandoned);
  }
}

/** A bidirectional call: write into it and iterate it. Leaving the loop cancels the call. */
export class DuplexCall extends StreamingSurface implements AsyncIterable<unknown> {
  private readonly queue: MessageQueue;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, requests: AnyIterable | undefined) {
    super(channel, method, options);
    this.queue = responseQueue(this.stream);
    this.stream.start();
    if (requests !== undefined) this.writer.sendAll(requests);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return this.queue;
  }

  onMessage(message: unknown, cost: number): void {
    this.queue.push(message, cost);
  }

  protected settle(status: Status, isAbandoned: boolean): void {
    endQueue(this.queue, status, isAbandoned);
  }
}
