/**
 * The time at which a handler hears that its requests are complete: some time after END_STREAM was read. A client that cancels
 * an upload may half-close it first and reset it then. Told at once, the handler would take a part of an import for all of
 * it and commit what was cancelled.
 *
 * Clients on `node:http2` (grpc-js, connect-es) do so with every cancelled upload, and send the reset in a write of its
 * own, some tenths of a millisecond later: they get `cancelGraceMs`. For all others two turns of the event loop are enough.
 * What belongs together may come in two reads of a turn, in several TLS records, or, where the reset is the end of the
 * connection, in the turn behind: the kernel reports a FIN with the next poll.
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

const ON_NODE_HTTP2 = /\b(?:grpc-node-js|connect-es)\//;

let arrived: RequestEnd[] = [];
let due: readonly RequestEnd[] = [];
let isScheduled = false;

/** The peer half-closed just now. `graceMs` is how long the end is held back; 0: two turns. */
export function tellEndLater(requests: RequestEnd, graceMs: number): void {
  if (graceMs > 0) {
    // The timer may be late because the loop was blocked: what the client sent meanwhile is read first.
    setTimeout(() => tellEndLater(requests, 0), graceMs);
    return;
  }
  arrived.push(requests);
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
  const ended = due;
  due = arrived;
  arrived = [];
  isScheduled = due.length > 0;
  if (isScheduled) setImmediate(onTurn);
  for (const requests of ended) requests.end();
}
