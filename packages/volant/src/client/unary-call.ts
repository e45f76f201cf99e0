/**
 * Calls with one response message: a unary call from start to promise, and the part of it that uploads share. Owns that
 * there is exactly one.
 */
import type { MethodInfo } from "../rpc/method.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import type { BoundClientMethod } from "./bound-method.ts";
import type { CallOptions } from "./call-options.ts";
import { rejectForCaller } from "./caller-stack.ts";
import type { Channel } from "./channel.ts";
import { type CallSurface, ClientStream } from "./client-stream.ts";
import { cardinalityFailure, checkRequest, errorOf, nameCall, requestFailure } from "./local-failure.ts";

type Resolve = (message: unknown) => void;

/** The response of a call that has one. */
export class SingleResponse {
  private readonly resolve: Resolve;
  private message: unknown = undefined;
  private count = 0;

  constructor(resolve: Resolve) {
    this.resolve = resolve;
  }

  take(stream: ClientStream, message: unknown, cost: number): void {
    stream.taken(cost);
    this.message = message;
    if (++this.count > 1) stream.abort(cardinalityFailure("more than one message"));
  }

  settle(status: Status, method: MethodInfo): void {
    if (status.code !== StatusCode.OK) this.reject(errorOf(status));
    else if (this.count === 0) {
      const failure = cardinalityFailure("no message");
      nameCall(failure, method);
      this.reject(failure);
    } else this.resolve(this.message);
  }

  protected reject(error: unknown): void {
    rejectForCaller(this.resolve, error);
  }
}

class UnaryCall extends SingleResponse implements CallSurface {
  private readonly stream: ClientStream;
  private readonly request: unknown;

  constructor(channel: Channel, method: BoundClientMethod, options: CallOptions, request: unknown, resolve: Resolve) {
    super(resolve);
    checkRequest(request, method.definition);
    this.request = request;
    this.stream = new ClientStream(channel, method, options, this);
  }

  start(): void {
    this.stream.start();
  }

  onStarted(stream: ClientStream): void {
    sendOnly(stream, this.request);
  }

  onAttemptLost(): void {}

  onMessage(message: unknown, cost: number): void {
    this.take(this.stream, message, cost);
  }

  onEnded(status: Status): void {
    this.settle(status, this.stream.method.definition);
  }
}

/** Rejects for illegal options too. */
export function callUnary(
  channel: Channel,
  method: BoundClientMethod,
  request: unknown,
  options: CallOptions,
): Promise<unknown> {
  return new Promise((resolve) => new UnaryCall(channel, method, options, request, resolve).start());
}

/** Sends the one request message of unary and server-streaming calls. */
export function sendOnly(stream: ClientStream, request: unknown): void {
  try {
    stream.sendLast(request);
  } catch (error) {
    stream.abort(requestFailure(error));
  }
}
