/**
 * A handler at work: called, awaited where it returned a promise, pumped where it returned an iterable. Owns the way from a
 * request to a result, and what work that is waited for holds, an `onCall` in front of the handler too; what a result or a
 * failure does to the call is up to the call.
 *
 * Functions over the call instead of an object beside it: a synchronous unary handler costs no allocation.
 */

import { runInCall } from "../rpc/ambient.ts";
import { hasResponseStream } from "../rpc/method.ts";
import { isIterable, isThenable, Pump, type PumpTarget } from "../stream/pump.ts";
import type { Http2Connection, Http2Stream } from "../transport/http2.ts";
import { monotonicMs } from "../transport/time.ts";
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
  /** Its handler, or the `onCall` in front of it, is waited for. */
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
    if (isThenable(result)) whenSettled(handled, Promise.resolve(result), onSettled);
    else onResult(handled, result);
  } catch (error) {
    handled.fail(error);
  }
}

/**
 * Work for the call goes on: it holds its stream's slot, a drain waits for it, and the end of the call makes an orphan of it.
 * Its result goes to `next`, which may have work of its own waited for; a failure, also of `next`, fails the call.
 */
export function whenSettled<Call extends HandledCall>(
  handled: Call,
  work: Promise<unknown>,
  next: (handled: Call, result: unknown) => void,
): void {
  const { host, stream } = handled;
  handled.isRunning = true;
  host.running.begin();
  if (handled.describeEnd() !== undefined) host.running.orphan(handled, monotonicMs());
  host.http2.holdSlot(stream);
  work.then(
    (result) => {
      endWork(handled);
      try {
        next(handled, result);
      } catch (error) {
        handled.fail(error);
      }
    },
    (error) => {
      endWork(handled);
      handled.fail(error);
    },
  );
}

function endWork(handled: HandledCall): void {
  const { host, stream } = handled;
  handled.isRunning = false;
  host.running.end(handled);
  host.http2.releaseSlot(stream);
}

function onSettled(handled: HandledCall, result: unknown): void {
  if (handled.pump === undefined) onResult(handled, result);
  else if (!handled.isDone) handled.finishStream();
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
  whenSettled(handled, handled.pump.run(), onSettled);
}
