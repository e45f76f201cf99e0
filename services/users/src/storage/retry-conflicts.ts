/**
 * Runs again what lost against a concurrent transaction. Owns the policy: serialization failures and deadlocks only,
 * because those two promise that nothing was kept; at most three retries, since a conflict that survives them is
 * contention that more attempts feed; jitter, so that the same two do not meet again. Knows no SQL.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "./database.ts";
import { SqlError, SqlState } from "./storage-error.ts";

const MAX_RETRIES = 3;
const BASE_DELAY_MS = 8;

export interface RetryEnvironment {
  wait(ms: number): Promise<unknown>;
  random(): number;
}

const SYSTEM: RetryEnvironment = { wait: (ms) => delay(ms), random: Math.random };

/** `database` with its statements and transactions retried; statements inside a transaction are not. */
export function retryConflicts(database: Database, environment: RetryEnvironment = SYSTEM): Database {
  return {
    engine: database.engine,
    lookup: (text, params, requester) => database.lookup(text, params, requester),
    query: (text, params, requester) => attempt(() => database.query(text, params, requester), environment),
    write: (text, params, requester) => attempt(() => database.write(text, params, requester), environment),
    transaction: (run, requester) => attempt(() => database.transaction(run, requester), environment),
    close: (withinMs) => database.close(withinMs),
  };
}

async function attempt<T>(run: () => Promise<T>, environment: RetryEnvironment): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await run();
    } catch (error) {
      if (retries === MAX_RETRIES || !isConflict(error)) throw error;
    }
    await environment.wait(environment.random() * BASE_DELAY_MS * 2 ** retries);
  }
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof SqlError)) return false;
  return error.code === SqlState.SERIALIZATION_FAILURE || error.code === SqlState.DEADLOCK_DETECTED;
}
