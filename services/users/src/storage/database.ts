/**
 * The port between the stores and an engine: SQL text in, rows out. Owns no SQL and knows no engine; both engines run
 * the same text, so columns are selected in types that they represent alike (text, int4, boolean, text[]).
 *
 * Invariant: parameters travel apart from the text, and a text is a constant of the program (engines keep it prepared).
 */

export type SqlValue = string | number | null | readonly string[];

/** A row as both engines give it. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface Queryable {
  /** One statement. Throws SqlError, StorageUnavailableError, or an AbortError once `signal` fired. */
  query<Row extends object = SqlRow>(text: string, params?: readonly SqlValue[], signal?: AbortSignal): Promise<Row[]>;
}

/** The statements of one transaction; of no use after it. */
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
  lookup<Row extends object = SqlRow>(text: string, params?: readonly SqlValue[]): Promise<Row[]>;
  /** Commits when `run` resolves, rolls back when it rejects. `run` waits for nothing but its own statements. */
  transaction<T>(run: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Refuses new work, waits for what is running, flushes and lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}
