/**
 * The time at which a handler hears that its requests are complete: not when END_STREAM is read, but two turns of the event
 * loop later. A client that cancels an upload half-closes it and resets it in one write (grpc-js does): told at once, the
 * handler would take a part of an import for all of it and commit what was cancelled. What belongs together may come in two
 * reads of a turn, in several TLS records, or, where the reset is the end of the connection, in the turn behind: the kernel
 * reports a FIN with the next poll.
 *
 * Costs a call with a request stream two polls of the loop, and a turn one entry a call. Unary calls are not held up: one
 * message is complete by itself, and `call.signal` fires before their handler can come back from anything it awaits.
 */

/** The requests of one call. */
export interface RequestEnd {
  /** Nothing where the call has ended meanwhile. Must not throw. */
  end(): void;
}

let arrived: RequestEnd[] = [];
let due: readonly RequestEnd[] = [];
let isScheduled = false;

/** The peer half-closed just now. */
export function tellEndLater(requests: RequestEnd): void {
  arrived.push(requests);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(onTurn);
}

function onTurn(): void {
  const ended = due;
  due = arrived;
  arrived = [];
  isScheduled = due.length > 0;
  if (isScheduled) setImmediate(onTurn);
  for (const requests of ended) requests.end();
}
