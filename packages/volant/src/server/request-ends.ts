/**
 * The time at which a handler hears that its requests are complete: some time after END_STREAM was read. A client that cancels
 * an upload may half-close it first and reset it then. Told at once, the handler would take a part of an import for all of
 * it and commit what was cancelled.
 *
 * Clients on `node:http2` (grpc-js, connect-es) do so with every cancelled upload, and send the reset in a write of its
 * own, some tenths of a millisecond later: they get `cancelGraceMs`. For all others two turns of the event loop are enough.
 * What belongs together may come in two reads of a turn, in several TLS records, or, where the reset is the end of the
 * connection, in the turn behind: the kernel reports a FIN with the next poll. What was read and waits for its turn
 * (`transport/turn-scheduler.ts`) is handled first.
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

/** Where they come from. */
export interface RequestInput {
  /** Bytes of the connection were read and wait for their turn: a reset may be among them. */
  readonly hasWaitingInput: boolean;
}

const ON_NODE_HTTP2 = /\b(?:grpc-node-js|connect-es)\//;

/** Ends that were told in one turn, and where each comes from. */
class Batch {
  readonly requests: RequestEnd[] = [];
  readonly inputs: RequestInput[] = [];

  add(requests: RequestEnd, input: RequestInput): void {
    this.requests.push(requests);
    this.inputs.push(input);
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
  arrived.add(requests, input);
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
  const { requests, inputs } = due;
  due = arrived;
  arrived = new Batch();
  for (let at = 0; at < requests.length; at++) {
    const [ended, input] = [requests[at]!, inputs[at]!];
    if (input.hasWaitingInput) arrived.add(ended, input);
    else ended.end();
  }
  isScheduled = due.requests.length > 0 || arrived.requests.length > 0;
  if (isScheduled) setImmediate(onTurn);
}
