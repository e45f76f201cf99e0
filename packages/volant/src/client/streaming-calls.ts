/**
 * The calls with a stream as users hold them: a promise, an iterable, or an object to write into. Owns how messages go in
 * and out of a {@link ClientStream}; the stream owns the rest.
 */
import { type Status, StatusCode } from "../rpc/status.ts";
import { MessageQueue } from "../stream/message-queue.ts";
import type { AnyIterable } from "../stream/pump.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import type { CallOptions } from "./call-options.ts";
import type { Channel } from "./channel.ts";
import { type CallSurface, ClientStream } from "./client-stream.ts";
import { errorOf } from "./local-failure.ts";
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

/** A client-streaming call: write into it, then await it. */
export class UploadCall extends StreamingSurface {
  /** The one response. */
  readonly promise: Promise<unknown>;
  private readonly response: SingleResponse;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, requests: AnyIterable | undefined) {
    super(channel, method, options);
    const outcome = Promise.withResolvers<unknown>();
    this.promise = outcome.promise;
    this.response = new SingleResponse(outcome.resolve);
    this.stream.start();
    if (requests !== undefined) this.writer.sendAll(requests);
    // The object is not a promise that somebody forgot to await: it can be written into first, and fail meanwhile.
    else this.promise.catch(() => undefined);
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
    this.response.settle(status);
  }
}

/** The reading half of server-streaming and bidirectional calls. */
function responseQueue(stream: ClientStream): MessageQueue {
  return new MessageQueue(
    (cost) => stream.taken(cost),
    () => stream.cancel("the reader left the stream"),
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
