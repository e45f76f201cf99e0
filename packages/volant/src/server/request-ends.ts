/**
 * The time at which a handler hears that its requests are complete: some time after END_STREAM was read. A client that cancels
 * an upload may half-close it first and reset it then. Told at once, the handler would take a part of an import for all of
 * it and commit what was cancelled.
 *
 * Clients on `node:http2` (grpc-js, connect-es) do so with every cancelled upload, and send the reset in a write of its
 * own, some tenths of a millisecond later: they get `cancelGraceMs`. For all others two turns of the event loop are enough.
 * What belongs together may come in two reads of a turn, in several TLS records, or, where the reset is the end of the
 * connection, in the turn behind: the kernel reports a FIN with the next poll. What was read and waits for its turn
 * (`transport/turn-scheduler.ts`) is handled first, and what is read later is not waited for: a busy connection always has some.
 *
 * Unary calls are not held up: one message is complete by itself, and `call.signal` has fired when their handler comes back
 * from anything that it awaits.
 */

import { type HeaderField, HeaderToken } from "../transport/http2.ts";
import { setImmediate, setTimeout } from "../transport/time.ts";

/** The requests of one call. */
export interface RequestEnd {
  /** Does nothing where the call has ended in the meantime. Never throws. */
  end(): void;
}

/** Where they come from: see `Wire`. */
export interface RequestInput {
  readonly inputMark: number;
  isHandled(inputMark: number): boolean;
}

const ON_NODE_HTTP2 = /\b(?:grpc-node-js|connect-es)\//;

/** An end whose two turns are over has a mark. */
const NO_MARK = -1;

/** Ends that were told in one turn, where each comes from, and what of that has to be handled first. */
class Batch {
  readonly requests: RequestEnd[] = [];
  readonly inputs: RequestInput[] = [];
  readonly marks: number[] = [];

  add(requests: RequestEnd, input: RequestInput, mark: number): void {
    this.requests.push(requests);
    this.inputs.push(input);
    this.marks.push(mark);
  }
}

let arrived = new Batch();
let due = new Batch();
let isScheduled = false;

/** The peer half-closed just now. `graceMs` is how long the end is held back; 0: two turns. */
export function tellEndLater(requests: RequestEnd, input: RequestInput, graceMs: number): void {
  if (graceMs > 0) {
    // The timer may be late because the loop was blocked: what the client sent meanwhile is read first.
    setTimeout(() => tellEndLater(requests, input, 0), graceMs);
    return;
  }
  arrived.add(requests, input, NO_MARK);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(onTurn);
}

/** Whether the client that sent these headers half-closes a call before it resets it. */
export function halfClosesToCancel(fields: readonly HeaderField[]): boolean {
  const agent = fields.find(({ token }) => token === HeaderToken.USER_AGENT);
  return agent !== undefined && ON_NODE_HTTP2.test(agent.value);
}

function onTurn(): void {
  const { requests, inputs, marks } = due;
  due = arrived;
  arrived = new Batch();
  for (let at = 0; at < requests.length; at++) {
    const [ended, input] = [requests[at]!, inputs[at]!];
    const mark = marks[at]! === NO_MARK ? input.inputMark : marks[at]!;
    if (input.isHandled(mark)) ended.end();
    else arrived.add(ended, input, mark);
  }
  isScheduled = due.requests.length > 0 || arrived.requests.length > 0;
  if (isScheduled) setImmediate(onTurn);
}
