/**
 * Flushes every connection that has output once at the end of the turn. Buys: one `setImmediate` and one write per
 * connection for all answers of a turn, instead of one each.
 */

export interface Flushable {
  flush(): void;
}

let pending: Flushable[] = [];

/** The caller makes sure that it is queued once. */
export function flushAtEndOfTurn(connection: Flushable): void {
  if (pending.length === 0) setImmediate(flushAll);
  pending.push(connection);
}

function flushAll(): void {
  const connections = pending;
  pending = [];
  for (const connection of connections) connection.flush();
}
