/**
 * Postgres behind the port: a pool for transactions and for statements that may wait, and a few pipelined connections
 * for short reads. Owns connections, their limits and cancellation; knows nothing of tables.
 *
 * Whoever finds no connection free waits in our own line and not in the pool's: it takes turns, has a bound, and lets go of a
 * requester that was cancelled.
 *
 * Invariants: nothing hangs. Waiting for a connection, for a lock, for a statement and for a forgotten transaction all
 * have a limit. A connection whose statement was cancelled is not used again, because the cancellation may still be on
 * its way and would hit the next statement.
 */
import { type ClientConfig, Pool, type PoolClient } from "pg";
import type { Database, SqlRow, SqlValue, Transaction } from "../database.ts";
import { type Requester, SERVICE } from "../requester.ts";
import { createAbortError, firstLineOf, StorageUnavailableError } from "../storage-error.ts";
import { orAbort, settlesWithin } from "../time-limit.ts";
import { TurnQueue } from "../turn-queue.ts";
import { PipelinedConnection } from "./pipelined-connection.ts";
import { isConnectionLost, toStorageError } from "./sql-errors.ts";
import { prepared } from "./statements.ts";

const DEFAULT_POOL_MAX = 10;
/** On top of the pool. Two, so that one large answer does not hold up every other read. */
const PIPELINED_CONNECTIONS = 2;
/** Short reads under way on all of them: enough to fill them, and few enough that a cancelled crowd is soon through. */
const MAX_LOOKUPS = 32;

export interface PostgresLimits {
  /** For connecting, and for waiting for a free connection of the pool. */
  readonly acquireTimeoutMs: number;
  /** For the answer to a short read. */
  readonly lookupTimeoutMs: number;
  /** For any other statement but a migration's. */
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

const DEFAULT_LIMITS: PostgresLimits = {
  acquireTimeoutMs: 5_000,
  lookupTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  lockTimeoutMs: 5_000,
};

/** The server ends a statement by its own clock first, which keeps the connection; only then do we give it up. */
const SERVER_HEAD_START_MS = 2_000;
/** Scripts are migrations, which may take their time. */
const NO_TIMEOUT = 0;

export interface PostgresOptions {
  readonly url: string;
  /** Connections for transactions and long statements; default 10. */
  readonly poolMax?: number | undefined;
  /** Defaults: 5 s to acquire, 5 s for a short read, 30 s for a statement, 5 s for a lock. */
  readonly limits?: Partial<PostgresLimits> | undefined;
  readonly log: (line: string) => void;
}

/** Opens lazily: the first statement connects. Settings in the URL's query win over the limits here. */
export function openPostgres(options: PostgresOptions): Database {
  return new PostgresDatabase(options);
}

class PostgresDatabase implements Database {
  readonly engine = "postgres";
  readonly #pool: Pool;
  readonly #pipelined: readonly PipelinedConnection[];
  readonly #timeoutMs: number;
  /** One place for each connection of the pool. */
  readonly #turns: TurnQueue;
  readonly #lookupTurns: TurnQueue;
  /** Connections of the pool that are in use. */
  readonly #busy = new Set<PoolClient>();
  readonly #log: (line: string) => void;
  #closed: Promise<void> | undefined;

  constructor({ url, poolMax, limits, log }: PostgresOptions) {
    const { acquireTimeoutMs, lookupTimeoutMs, statementTimeoutMs, lockTimeoutMs } = { ...DEFAULT_LIMITS, ...limits };
    const config: ClientConfig = {
      connectionString: url,
      connectionTimeoutMillis: acquireTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      keepAlive: true,
      fallback_application_name: "users",
    };
    this.#timeoutMs = statementTimeoutMs + SERVER_HEAD_START_MS;
    this.#log = log;
    const max = poolMax ?? DEFAULT_POOL_MAX;
    this.#pool = new Pool({ ...config, max });
    this.#turns = new TurnQueue({ maxRunning: max, maxWaitMs: acquireTimeoutMs });
    this.#lookupTurns = new TurnQueue({ maxRunning: MAX_LOOKUPS, maxWaitMs: acquireTimeoutMs });
    // The pool listens to its idle connections only: one that is lost while in use would end the process.
    this.#pool.on("connect", (client) => {
      client.on("error", (error) => log(`a Postgres connection was lost: ${toStorageError(error).message}`));
    });
    this.#pool.on("error", () => undefined);
    this.#pipelined = Array.from(
      { length: PIPELINED_CONNECTIONS },
      () => new PipelinedConnection(config, lookupTimeoutMs, log),
    );
  }

  lookup<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    return this.#lookupTurns.pass(requester, () => this.#leastBusy().query<Row>(text, params));
  }

  /** Who cancels leaves at once; the connection is free again when the server has stopped. */
  query<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    const { signal } = requester;
    const rows = this.#turns.pass(requester, async () => {
      const client = await this.#acquire(requester);
      return this.#runOn<Row>(client, text, params, signal);
    });
    return orAbort(rows, signal);
  }

  write<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    return this.#turns.pass(requester, async () => {
      const client = await this.#acquire(requester);
      return this.#runOn<Row>(client, text, params, undefined);
    });
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>, requester = SERVICE): Promise<T> {
    return this.#turns.pass(requester, async () => {
      const client = await this.#acquire(requester);
      let broken = false;
      try {
        await send(client, "BEGIN", this.#timeoutMs);
        const result = await work(transactionOn(client, this.#timeoutMs));
        await send(client, "COMMIT", this.#timeoutMs);
        return result;
      } catch (error) {
        broken = isConnectionLost(error) || !(await this.#rollBack(client));
        throw error;
      } finally {
        this.#release(client, broken);
      }
    });
  }

  /** False when the connection is gone, and with it the transaction. */
  async #rollBack(client: PoolClient): Promise<boolean> {
    try {
      await send(client, "ROLLBACK", this.#timeoutMs);
      return true;
    } catch (error) {
      this.#log(`a Postgres transaction ended with its connection: ${firstLineOf(error)}`);
      return false;
    }
  }

  close(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#closed ??= this.#finish(withinMs);
    return this.#closed;
  }

  async #finish(withinMs: number): Promise<void> {
    const ended = this.#endConnections();
    if (await settlesWithin(ended, withinMs)) return;
    const closed = new StorageUnavailableError("the storage is closed");
    for (const turns of [this.#turns, this.#lookupTurns]) turns.refuseWaiting(closed);
    // With a statement under way this breaks the connection, and the statement fails.
    for (const client of this.#busy) void client.end();
  }

  async #endConnections(): Promise<void> {
    await Promise.all([this.#turns.close(), this.#lookupTurns.close()]);
    await Promise.all([this.#pool.end(), ...this.#pipelined.map((connection) => connection.close())]);
  }

  #leastBusy(): PipelinedConnection {
    return this.#pipelined.reduce((best, other) => (other.inFlight < best.inFlight ? other : best));
  }

  /** There is one free, or to be made. The requester's place is held meanwhile, so that no more are asked for than there are. */
  async #acquire({ signal }: Requester): Promise<PoolClient> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw toStorageError(error);
    }
    this.#busy.add(client);
    if (!signal?.aborted) return client;
    this.#release(client, false);
    throw createAbortError(signal);
  }

  #release(client: PoolClient, isBroken: boolean): void {
    this.#busy.delete(client);
    client.release(isBroken);
  }

  async #runOn<Row extends object>(
    client: PoolClient,
    text: string,
    params: readonly SqlValue[],
    signal: AbortSignal | undefined,
  ): Promise<Row[]> {
    const cancel = (): void => this.#cancel(client);
    signal?.addEventListener("abort", cancel, { once: true });
    let lost = false;
    try {
      return (await client.query<Row>(prepared(text, params, this.#timeoutMs))).rows;
    } catch (error) {
      const known = toStorageError(error);
      lost = isConnectionLost(known);
      throw signal?.aborted ? createAbortError(signal) : known;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#release(client, lost || signal?.aborted === true);
    }
  }

  /** Asks the server to stop; the statement then fails, or had just ended, and settles either way. */
  #cancel(client: PoolClient): void {
    if (!("processID" in client) || typeof client.processID !== "number") return;
    // Not in a turn: what it frees is what others wait for.
    this.#leastBusy()
      .query("SELECT pg_cancel_backend($1::int)", [client.processID])
      .catch((error: Error) => this.#log(`a cancelled statement runs on until its time limit: ${error.message}`));
  }
}

function transactionOn(client: PoolClient, timeoutMs: number): Transaction {
  return {
    async query<Row extends object = SqlRow>(text: string, params: readonly SqlValue[] = []) {
      try {
        return (await client.query<Row>(prepared(text, params, timeoutMs))).rows;
      } catch (error) {
        throw toStorageError(error);
      }
    },
    script: (text) => send(client, text, NO_TIMEOUT),
  };
}

async function send(client: PoolClient, text: string, timeoutMs: number): Promise<void> {
  try {
    const statement = { text, query_timeout: timeoutMs };
    await client.query(statement);
  } catch (error) {
    throw toStorageError(error);
  }
}
