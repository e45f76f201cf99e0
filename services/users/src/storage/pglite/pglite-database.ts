/**
 * The embedded engine behind the port: PGlite in a worker thread. Owns the session (one, for everyone) and the order of
 * statements and transactions on it; knows nothing of tables.
 *
 * Invariants: no statement of another caller runs inside a transaction; a statement that was cancelled before its turn never
 * reaches the thread; the data folder stays locked from before the engine starts until after it has stopped.
 */
import { existsSync } from "node:fs";
import type { Database, SqlRow, SqlValue, Transaction } from "../database.ts";
import { SERVICE } from "../requester.ts";
import { StorageUnavailableError } from "../storage-error.ts";
import { orAbort, settlesWithin } from "../time-limit.ts";
import { TurnQueue } from "../turn-queue.ts";
import { openDataFolder } from "./data-folder.ts";
import { WorkerClient } from "./worker-client.ts";

/** The session runs one at a time; the second is at hand when it ends. What is there cannot be taken back. */
const STATEMENTS_IN_WORKER = 2;

export interface PgliteOptions {
  /** Undefined keeps everything in memory. */
  readonly folder: string | undefined;
  readonly log: (line: string) => void;
}

/** Throws StorageOpenError, DataFolderLockedError among them. */
export async function openPglite({ folder, log }: PgliteOptions): Promise<Database> {
  if (folder === undefined) {
    log("starting the embedded database in memory: this takes some seconds, and nothing is kept");
    return new PgliteDatabase(await WorkerClient.open({ clusterFolder: undefined }), () => undefined);
  }
  const dataFolder = openDataFolder(folder, log);
  const isFirst = !existsSync(dataFolder.clusterFolder);
  const pace = isFirst ? "the first start makes it, which takes some seconds" : "it was made before";
  log(`starting the embedded database in ${folder}: ${pace}`);
  try {
    const client = await WorkerClient.open({ clusterFolder: dataFolder.clusterFolder });
    log("the embedded database is ready");
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
  readonly #queue = new TurnQueue({ maxRunning: STATEMENTS_IN_WORKER });
  #closed: Promise<void> | undefined;

  constructor(client: WorkerClient, releaseFolder: () => void) {
    this.#client = client;
    this.#releaseFolder = releaseFolder;
  }

  lookup<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    return this.query(text, params, requester);
  }

  /** PGlite cannot interrupt a statement: who cancels one that runs stops waiting, and it ends by itself, in its turn. */
  query<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    return orAbort(this.write<Row>(text, params, requester), requester.signal);
  }

  write<Row extends object = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    requester = SERVICE,
  ): Promise<Row[]> {
    return this.#queue.pass(requester, () => run<Row>(this.#client, text, params));
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>, requester = SERVICE): Promise<T> {
    return this.#queue.hold(requester, async () => {
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

  close(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#closed ??= this.#finish(withinMs).finally(this.#releaseFolder);
    return this.#closed;
  }

  /** A thread that is ended in the middle of a statement leaves what a crash leaves: the next start recovers all commits. */
  async #finish(withinMs: number): Promise<void> {
    const flushed = this.#queue.close().then(() => this.#client.close());
    if (await settlesWithin(flushed, withinMs)) return;
    this.#queue.refuseWaiting(new StorageUnavailableError("the storage is closed"));
    await this.#client.terminate();
    // Its only news is that the thread was ended.
    await flushed.catch(() => undefined);
  }
}

function transactionOn(client: WorkerClient): Transaction {
  return {
    query: (text, params = []) => run(client, text, params),
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
