/**
 * One connection that sends statements without waiting for answers. Owns connecting, and connecting again after a loss;
 * knows no SQL. It buys round trips: many short reads are in flight at once on one socket.
 *
 * Invariant: statements here are answered in order, so nothing slow and nothing that waits for a lock may come here. A
 * lost connection fails what was in flight; the next statement connects anew.
 */
import { Client, type ClientConfig } from "pg";
import type { SqlValue } from "../database.ts";
import { toStorageError } from "./sql-errors.ts";
import { prepared } from "./statements.ts";

export class PipelinedConnection {
  readonly #config: ClientConfig;
  readonly #log: (line: string) => void;
  #client: Promise<Client> | undefined;
  #inFlight = 0;

  constructor(config: ClientConfig, log: (line: string) => void) {
    this.#config = { ...config, pipeline: true };
    this.#log = log;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async query<Row extends object>(text: string, params: readonly SqlValue[]): Promise<Row[]> {
    this.#inFlight++;
    try {
      this.#client ??= this.#connect();
      const client = await this.#client;
      return (await client.query<Row>(prepared(text, params))).rows;
    } catch (error) {
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
    const forget = (): void => {
      if (this.#client === connecting) this.#client = undefined;
    };
    client.on("error", (error) => {
      forget();
      this.#log(`a Postgres connection was lost: ${toStorageError(error).message}`);
    });
    client.on("end", forget);
    connecting.catch(forget);
    return connecting;
  }
}
