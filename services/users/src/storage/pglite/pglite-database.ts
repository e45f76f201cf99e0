/**
 * The embedded engine behind the port: PGlite in a worker thread. Owns the session (one, for everyone) and the order of
 * transactions on it; knows nothing of tables.
 *
 * Invariants: no statement of another caller runs inside a transaction; the data folder stays locked from before the
 * engine starts until after it has flushed and stopped.
 */
import type { Database, SqlRow, SqlValue, Transaction } from "../database.ts";
import { createAbortError, StorageUnavailableError } from "../storage-error.ts";
import { openDataFolder } from "./data-folder.ts";
import { TurnGate } from "./turn-gate.ts";
import { WorkerClient } from "./worker-client.ts";

export interface PgliteOptions {
  /** Undefined keeps everything in memory. */
  readonly folder: string | undefined;
  readonly log: (line: string) => void;
}

/** Throws StorageOpenError, DataFolderLockedError among them. */
export async function openPglite({ folder, log }: PgliteOptions): Promise<Database> {
  if (folder === undefined) {
    return new PgliteDatabase(await WorkerClient.open({ clusterFolder: undefined }), () => undefined);
  }
  const dataFolder = openDataFolder(folder, log);
  try {
    const client = await WorkerClient.open({ clusterFolder: dataFolder.clusterFolder });
    return new PgliteDatabase(client, () => dataFolder.release());
  } catch (error) {
    dataFolder.release();
    throw error;
  }
}

class PgliteDatabase implements Database {
  readonly engine = "pglite";
  readonly #client: WorkerClient;
  readonly #releaseFolder: () => void;
  readonly #gate = new TurnGate();
  #closed: Promise<void> | undefined;

  constructor(client: WorkerClient, releaseFolder: () => void) {
    this.#client = client;
    this.#releaseFolder = releaseFolder;
  }

  lookup<Row extends object = SqlRow>(text: string, params: readonly SqlValue[] = []): Promise<Row[]> {
    return this.query(text, params);
  }

  async query<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    signal?: AbortSignal,
  ): Promise<Row[]> {
    this.#assertOpen();
    return abandonable(signal, () => this.#gate.pass(() => run<Row>(this.#client, text, params)));
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#gate.hold(async () => {
      await this.#client.script("BEGIN");
      try {
        const result = await work(transactionOn(this.#client));
        await this.#client.script("COMMIT");
        return result;
      } catch (error) {
        await this.#client.script("ROLLBACK");
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#gate.hold(() => this.#client.close()).finally(this.#releaseFolder);
    return this.#closed;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StorageUnavailableError("the storage is closed");
  }
}

function transactionOn(client: WorkerClient): Transaction {
  return {
    query: (text, params = [], signal) => abandonable(signal, () => run(client, text, params)),
    script: async (text) => {
      await client.script(text);
    },
  };
}

async function run<Row extends object>(
  client: WorkerClient,
  text: string,
  params: readonly SqlValue[],
): Promise<Row[]> {
  return (await client.query(text, params)) as Row[];
}

/** PGlite cannot interrupt a statement: a cancelled reader stops waiting, and what it asked for ends on its own. */
async function abandonable<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  if (signal === undefined) return start();
  if (signal.aborted) throw createAbortError(signal);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(createAbortError(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([start(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
