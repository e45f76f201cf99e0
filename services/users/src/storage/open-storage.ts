/**
 * Opens the storage a URL names. Owns the order of it: engine, schema, stores; knows neither SQL nor the environment.
 *
 * Invariant: a storage that was returned answers queries on the newest schema, and one that could not be opened holds
 * nothing: no thread, no lock, no connection.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Database } from "./database.ts";
import { loadMigrations, migrate } from "./migrate.ts";
import { openPglite } from "./pglite/pglite-database.ts";
import { openPostgres, type PostgresOptions } from "./postgres/postgres-database.ts";
import { retryConflicts } from "./retry-conflicts.ts";
import { SqlMessageStore } from "./sql-message-store.ts";
import { SqlUserStore } from "./sql-user-store.ts";
import { firstLineOf, StorageOpenError } from "./storage-error.ts";
import { parseStorageUrl, type StorageLocation } from "./storage-location.ts";
import type { Storage } from "./user-store.ts";

export interface OpenStorageOptions {
  /** `postgres://…`, `postgresql://…`, `memory://`, `file:///folder`; nothing: an embedded database in `dataDir`. */
  readonly url?: string | undefined;
  /** Folder of the embedded database; default `.data/users`. */
  readonly dataDir?: string | undefined;
  /** Postgres connections for writes and lists, two more serve short reads; default 10. */
  readonly poolMax?: number | undefined;
  /** How long Postgres may take; defaults: `PostgresOptions.limits`. */
  readonly limits?: PostgresOptions["limits"];
  /** Gets a line for what an operator should know: applied migrations, lost connections, a lock taken over. */
  readonly log?: ((line: string) => void) | undefined;
}

/** A storage with its engine within reach, for what only this package may do. */
export interface SqlStorage extends Storage {
  readonly database: Database;
}

/** Throws StorageOpenError with a message of one line; DataFolderLockedError is one. */
export async function openStorage(options: OpenStorageOptions = {}): Promise<SqlStorage> {
  const { log = () => undefined } = options;
  const location = parseStorageUrl(options.url, options.dataDir);
  const database = retryConflicts(await openEngine(location, options, log));
  try {
    const applied = await migrate(database, await loadMigrations());
    if (applied.length > 0) log(`database schema: applied ${applied.join(", ")}`);
  } catch (error) {
    await database.close();
    if (error instanceof StorageOpenError) throw error;
    throw new StorageOpenError(`${labelOf(location)} could not be opened: ${firstLineOf(error)}`, { cause: error });
  }
  return storageOn(database);
}

async function openEngine(
  location: StorageLocation,
  { poolMax, limits }: OpenStorageOptions,
  log: (line: string) => void,
): Promise<Database> {
  switch (location.kind) {
    case "memory":
      return openPglite({ folder: undefined, log });
    case "folder":
      return openPglite({ folder: location.folder, log });
    case "postgres":
      return openPostgres({ url: location.url, poolMax, limits, log });
  }
}

function storageOn(database: Database): SqlStorage {
  return {
    engine: database.engine,
    database,
    users: new SqlUserStore(database),
    messages: new SqlMessageStore(database),
    ping: async () => {
      await database.lookup("SELECT 1 AS one");
    },
    close: async (withinMs) => {
      // Finds of this turn are still being collected into their query.
      await nextTurn();
      await database.close(withinMs);
    },
  };
}

function labelOf(location: StorageLocation): string {
  switch (location.kind) {
    case "memory":
      return "the database in memory";
    case "folder":
      return `data folder ${location.folder}`;
    case "postgres":
      return `Postgres at ${location.label}`;
  }
}
