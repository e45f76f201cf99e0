/**
 * A handler at work: called, awaited where it returned a promise, pumped where it returned an iterable. Owns the way from a
 * request to a result; what a result or a failure does to the call is up to the call.
 *
 * Functions over the call instead of an object beside it: a synchronous unary handler costs no allocation.
 */
import { runInCall } from "../rpc/ambient.ts";
import { hasResponseStream } from "../rpc/method.ts";
import { isIterable, isThenable, Pump, type PumpTarget } from "../stream/pump.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import type { CallStream, IncomingCall } from "./incoming-call.ts";
import type { BoundMethod } from "./router.ts";
import type { RunningHandler, RunningHandlers } from "./running-handlers.ts";

/** The call of a handler. */
export interface HandledCall extends PumpTarget, RunningHandler, Pick<CallStream, "describeEnd"> {
  readonly call: IncomingCall;
  readonly method: BoundMethod;
  readonly stream: Http2Stream;
  readonly host: { readonly http2: Http2Connection; readonly running: RunningHandlers };
  /** Set while the handler's iterable is sent. */
  pump: Pump | undefined;
  /** The handler has not finished. */
  isRunning: boolean;
  /** The request message, or the requests. */
  takeInput(): unknown;
  /** May throw: what the message is made of may be user code. */
  finishUnary(message: unknown): void;
  /** Every message of the iterable was sent. */
  finishStream(): void;
  fail(error: unknown): void;
}

/** Inside the call's own context. Never throws. */
export function runHandler(handled: HandledCall): void {
  runInCall(handled.call, callHandler, handled);
}

function callHandler(handled: HandledCall): void {
  try {
    const result = handled.method.handler(handled.takeInput(), handled.call);
    if (isThenable(result)) whenSettled(handled, Promise.resolve(result));
    else onResult(handled, result);
  } catch (error) {
    handled.fail(error);
  }
}

/** The handler works on: it holds its stream's slot, a drain waits for it, and whatever comes of it is dealt with. */
function whenSettled(handled: HandledCall, work: Promise<unknown>): void {
  const { host, stream } = handled;
  handled.isRunning = true;
  host.running.begin();
  if (handled.describeEnd() !== undefined) host.running.orphan(handled, performance.now());
  host.http2.holdSlot(stream);
  work.then(
    (result) => {
      endHandler(handled);
      onSettled(handled, result);
    },
    (error) => {
      endHandler(handled);
      handled.fail(error);
    },
  );
}

function endHandler(handled: HandledCall): void {
  const { host, stream } = handled;
  handled.isRunning = false;
  host.running.end(handled);
  host.http2.releaseSlot(stream);
}

function onSettled(handled: HandledCall, result: unknown): void {
  try {
    if (handled.pump === undefined) onResult(handled, result);
    else if (!handled.isDone) handled.finishStream();
  } catch (error) {
    handled.fail(error);
  }
}

function onResult(handled: HandledCall, result: unknown): void {
  if (handled.isDone) return;
  if (hasResponseStream(handled.method.definition.kind)) startPump(handled, result);
  else handled.finishUnary(result);
}

function startPump(handled: HandledCall, result: unknown): void {
  if (!isIterable(result)) {
    const { path } = handled.method.definition;
    throw new TypeError(`the handler of ${path} returned no iterable; yield messages, or return an iterable of them`);
  }
  handled.pump = new Pump(result, handled);
  whenSettled(handled, handled.pump.run());
}
