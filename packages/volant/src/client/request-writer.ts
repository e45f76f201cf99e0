/**
 * The writing half of a client-streaming or bidirectional call: an iterable, or messages sent by hand. Owns their order
 * and what waits until the HTTP/2 stream is open.
 *
 * Invariant: an iterable is read once. What was handed to a stream is the stream's, which sends it again itself where
 * another attempt follows; between attempts messages wait here.
 */
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import { type Status, StatusCode } from "../rpc/status.ts";
import { type AnyIterable, Pump, type PumpTarget } from "../stream/pump.ts";
import type { ClientStream } from "./client-stream.ts";
import { nameCall, requestFailure } from "./local-failure.ts";

interface WaitingMessage {
  readonly message: unknown;
  /** Missing where the pump waits instead. */
  readonly sent: PromiseWithResolvers<void> | undefined;
}

export class RequestWriter implements PumpTarget {
  private readonly stream: ClientStream;
  private started: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private isStarted = false;
  private isEnding = false;
  private waiting: WaitingMessage[] = [];
  private pump: Pump | undefined = undefined;
  private outcome: Status | undefined = undefined;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  onStarted(): void {
    this.isStarted = true;
    for (const { message, sent } of this.waiting.splice(0)) {
      this.transmit(message);
      if (sent !== undefined) this.settleWhenWritable(sent);
    }
    if (this.isEnding) this.stream.halfClose();
    this.started.resolve();
  }

  onAttemptLost(): void {
    // An attempt that found no connection never started; whoever waits for that waits on.
    if (!this.isStarted) return;
    this.isStarted = false;
    this.started = Promise.withResolvers<void>();
  }

  /** The call is over: whoever waits goes on and sees, and a generator learns that nobody reads it. */
  onEnded(status: Status): void {
    this.outcome = status;
    for (const { sent } of this.waiting.splice(0)) sent?.reject(this.afterEnd());
    this.started.resolve();
    this.pump?.cancel((error) => this.reportLate(error));
  }

  /** Sends what the iterable has, then half-closes; its failure is the call's. */
  sendAll(requests: AnyIterable): void {
    this.pumpAll(requests).catch((error) => this.stream.abort(requestFailure(error)));
  }

  /** One message by hand: resolves when there is room for the next. */
  write(message: unknown): Promise<void> {
    if (this.isEnding)
      return Promise.reject(new TypeError("nothing can be sent on this call any more: end() was called"));
    const sent = Promise.withResolvers<void>();
    // The call's own outcome tells why it ended; whoever ignores it here has seen it there.
    sent.promise.catch(() => undefined);
    if (this.status !== undefined) sent.reject(this.afterEnd());
    else if (!this.isStarted) this.waiting.push({ message, sent });
    else {
      this.transmit(message);
      this.settleWhenWritable(sent);
    }
    return sent.promise;
  }

  /** Half-closes behind what was written. */
  end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    if (this.isStarted) this.stream.halfClose();
  }

  // PumpTarget

  send(message: unknown): void {
    if (this.isStarted) this.transmit(message);
    else this.waiting.push({ message, sent: undefined });
  }

  whenWritable(): Promise<void> | undefined {
    return this.isStarted ? this.stream.whenWritable() : this.started.promise;
  }

  get isDone(): boolean {
    return this.stream.isEnded;
  }

  /** In the caller's context, so that the iterable runs in it too. */
  private async pumpAll(requests: AnyIterable): Promise<void> {
    await this.started.promise;
    this.pump = new Pump(requests, this);
    if (this.stream.isEnded) this.pump.cancel((error) => this.reportLate(error));
    await this.pump.run();
    this.end();
  }

  /** The call is over and cannot tell it any more. */
  private reportLate(error: unknown): void {
    const { channel, method } = this.stream;
    channel.reportError(error, method.definition);
  }

  /** A message that cannot be sent ends the call, or it would be missing without anybody noticing. */
  private transmit(message: unknown): void {
    try {
      this.stream.send(message);
    } catch (error) {
      this.stream.abort(requestFailure(error));
    }
  }

  private settleWhenWritable(sent: PromiseWithResolvers<void>): void {
    const room = this.stream.whenWritable();
    if (room === undefined || this.status !== undefined) this.settle(sent);
    else room.then(() => this.settle(sent));
  }

  /** There is room, or nothing to wait for any more. */
  private settle(sent: PromiseWithResolvers<void>): void {
    if (this.status === undefined) sent.resolve();
    else sent.reject(this.afterEnd());
  }

  /** Also where the reader has not come to the end: one loop that reads and writes would wait for itself. */
  private get status(): Status | undefined {
    return this.outcome ?? this.stream.answer;
  }

  private afterEnd(): RpcError {
    const { status } = this;
    if (status instanceof RpcError) return status;
    const error = createRpcError("client", StatusCode.CANCELLED, "the call has ended: nothing can be sent any more");
    nameCall(error, this.stream.method.definition);
    return error;
  }
}
