/**
 * One connection that sends statements without waiting for answers. Owns connecting, and connecting again after a loss;
 * knows no SQL. It buys round trips: many short reads are in flight at once on one socket.
 *
 * Invariant: statements here are answered in order, so nothing slow and nothing that waits for a lock may come here. A
 * lost connection, or one that gave no answer in time, fails what was in flight; the next statement connects anew.
 */
import { Client, type ClientConfig, DatabaseError } from "pg";
import type { SqlValue } from "../database.ts";
import { toStorageError } from "./sql-errors.ts";
import { prepared } from "./statements.ts";

export class PipelinedConnection {
  readonly #config: ClientConfig;
  readonly #timeoutMs: number;
  readonly #log: (line: string) => void;
  #client: Promise<Client> | undefined;
  #inFlight = 0;

  constructor(config: ClientConfig, timeoutMs: number, log: (line: string) => void) {
    this.#config = { ...config, pipeline: true };
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async query<Row extends object>(text: string, params: readonly SqlValue[]): Promise<Row[]> {
    this.#inFlight++;
    this.#client ??= this.#connect();
    const connecting = this.#client;
    try {
      const client = await connecting;
      return (await client.query<Row>(prepared(text, params, this.#timeoutMs))).rows;
    } catch (error) {
      if (!(error instanceof DatabaseError)) this.#forget(connecting);
      throw toStorageError(error);
    } finally {
      this.#inFlight--;
    }
  }

  async close(): Promise<void> {
    const connecting = this.#client;
    this.#client = undefined;
    // A connection that failed was reported to whoever asked for it, and there is nothing to end.
    const client = await connecting?.catch(() => undefined);
    await client?.end();
  }

  #connect(): Promise<Client> {
    const client = new Client(this.#config);
    const connecting = client.connect().then(() => client);
    client.on("error", (error) => {
      this.#forget(connecting);
      this.#log(`a Postgres connection was lost: ${toStorageError(error).message}`);
    });
    client.on("end", () => this.#forget(connecting));
    return connecting;
  }

  /** Without waiting for the socket to notice: the next statement must not meet a connection that is about to end. */
  #forget(connecting: Promise<Client>): void {
    if (this.#client === connecting) this.#client = undefined;
  }
}
