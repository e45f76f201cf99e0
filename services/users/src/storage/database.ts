/**
 * The port between the stores and an engine: SQL text in, rows out. Owns no SQL and knows no engine; both engines run
 * the same text, so columns are selected in types that they represent alike (text, int4, boolean, text[]).
 *
 * Invariant: parameters travel apart from the text, and a text is a constant of the program (engines keep it prepared).
 */
import type { Requester } from "./requester.ts";

export type SqlValue = string | number | null | readonly string[];

/** A row as both engines give it. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface Queryable {
  /**
   * A read, in the requester's turn (default: the service's own). Throws SqlError, StorageUnavailableError,
   * TooManyWaitingError, or an AbortError once the requester's signal fired.
   */
  query<Row extends object = SqlRow>(text: string, params?: readonly SqlValue[], requester?: Requester): Promise<Row[]>;
}

/** The statements of one transaction; of no use after it. They run in its turn, and to its end whatever their requester. */
export interface Transaction extends Queryable {
  /** Several statements without parameters, as migrations are written. */
  script(text: string): Promise<void>;
}

export interface Database extends Queryable {
  readonly engine: "pglite" | "postgres";
  /**
   * A short read that waits for no row lock. It may share its connection with others, so anything slow or blocking
   * here would hold up everyone behind it; that belongs in `query`.
   */
  lookup<Row extends object = SqlRow>(
    text: string,
    params?: readonly SqlValue[],
    requester?: Requester,
  ): Promise<Row[]>;
  /** One statement that changes something. The signal keeps it from beginning; one that has begun runs to its end. */
  write<Row extends object = SqlRow>(text: string, params?: readonly SqlValue[], requester?: Requester): Promise<Row[]>;
  /**
   * Commits when `run` resolves, rolls back when it rejects. `run` waits for nothing but its own statements. The
   * requester's signal keeps a transaction from beginning, and does not end one that has begun.
   */
  transaction<T>(run: (transaction: Transaction) => Promise<T>, requester?: Requester): Promise<T>;
  /**
   * Refuses new work, waits for what runs and what waits, flushes and lets go of everything. Safe to call twice. After
   * `withinMs` (default: no limit) it refuses what still waits and breaks off what still runs.
   */
  close(withinMs?: number): Promise<void>;
}
