/**
 * Our end of the PGlite thread: one promise per request. Owns the pending requests and the thread's life; knows no SQL
 * and no transactions.
 *
 * Invariant: every request settles. When the thread dies, all that are pending and all that follow reject with one
 * StorageUnavailableError that says why.
 */
import { Worker } from "node:worker_threads";
import type { SqlValue } from "../database.ts";
import { firstLineOf, SqlError, StorageOpenError, StorageUnavailableError } from "../storage-error.ts";
import {
  OPENED_ID,
  type WorkerError,
  type WorkerOptions,
  type WorkerReply,
  type WorkerRequest,
} from "./worker-protocol.ts";

/** The entry beside this module: a TypeScript file in the sources, JavaScript in the build. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

interface Pending {
  readonly resolve: (rows: readonly object[]) => void;
  readonly reject: (error: Error) => void;
}

type Work = WorkerRequest extends infer Request ? (Request extends unknown ? Omit<Request, "id"> : never) : never;

export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #nextId = OPENED_ID + 1;
  #failure: Error | undefined;

  private constructor(options: WorkerOptions, opened: Pending, entry: URL) {
    this.#pending.set(OPENED_ID, opened);
    this.#worker = new Worker(entry, { workerData: options, name: "pglite" });
    this.#worker.on("message", (reply: WorkerReply) => this.#handleReply(reply));
    this.#worker.on("messageerror", (error) => this.#fail(firstLineOf(error)));
    this.#worker.on("error", (error) => this.#fail(firstLineOf(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", (code) => {
        this.#fail(`its thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Starts the thread and resolves once the engine answers. Throws StorageOpenError; no thread is left then. */
  static async open(options: WorkerOptions, entry: URL = ENTRY): Promise<WorkerClient> {
    const opened = Promise.withResolvers<readonly object[]>();
    const client = new WorkerClient(options, opened, entry);
    try {
      await opened.promise;
      return client;
    } catch (error) {
      await client.terminate();
      const where = options.clusterFolder === undefined ? "in memory" : `on ${options.clusterFolder}`;
      throw new StorageOpenError(`the embedded database could not start ${where}: ${firstLineOf(error)}`, {
        cause: error,
      });
    }
  }

  query(text: string, params: readonly SqlValue[]): Promise<readonly object[]> {
    return this.#request({ kind: "query", text, params });
  }

  script(text: string): Promise<readonly object[]> {
    return this.#request({ kind: "script", text });
  }

  /** Flushes and ends the thread, after everything that was asked before. */
  async close(): Promise<void> {
    try {
      await this.#request({ kind: "close" });
    } finally {
      await this.terminate();
    }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }

  #request(work: Work): Promise<readonly object[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...work });
    });
  }

  #handleReply(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("rows" in reply) pending?.resolve(reply.rows);
    else pending?.reject(fromWorkerError(reply.error));
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new StorageUnavailableError(`the embedded database stopped (${reason}): restart the service`);
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}

function fromWorkerError({ message, code, constraint }: WorkerError): Error {
  return code === undefined ? new StorageUnavailableError(message) : new SqlError(message, code, constraint);
}
