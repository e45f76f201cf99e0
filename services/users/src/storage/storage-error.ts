/**
 * Every error the storage throws on purpose. Owns their names, so that the service maps classes to status codes and
 * never reads message texts; knows no engine.
 *
 * Invariant: no message carries a password, a parameter or a value of a row, and every message is one line.
 */

/** The storage could not be opened. The message says what was wrong and what to do. */
export class StorageOpenError extends Error {
  override readonly name: string = "StorageOpenError";
}

/** Another live process (or this one) has the data folder open. */
export class DataFolderLockedError extends StorageOpenError {
  override readonly name = "DataFolderLockedError";
  readonly pid: number;
  readonly path: string;

  constructor(path: string, pid: number) {
    super(`data folder ${path} is in use by process ${pid}: stop it, choose another folder, or use a Postgres URL`);
    this.path = path;
    this.pid = pid;
  }
}

/** The engine cannot answer now (gone, shut down, no free connection, lock not granted). Trying later may work. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

/** One requester has so much waiting that more of it would take the room of others. Nothing was done. */
export class TooManyWaitingError extends Error {
  override readonly name = "TooManyWaitingError";

  constructor(waiting: number) {
    super(`${waiting} statements of this requester are waiting already: wait for their answers`);
  }
}

/** A value Postgres cannot hold. Nothing was written. */
export class UnstorableValueError extends Error {
  override readonly name = "UnstorableValueError";
  readonly field: string;

  constructor(field: string, reason: string) {
    super(`${field} ${reason}`);
    this.field = field;
  }
}

/** The database refused a statement. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  /** SQLSTATE, five characters. */
  readonly code: string;
  /** The constraint that was violated, when one was. */
  readonly constraint: string | undefined;

  constructor(message: string, code: string, constraint: string | undefined) {
    super(message);
    this.code = code;
    this.constraint = constraint;
  }
}

export const SqlState = {
  UNIQUE_VIOLATION: "23505",
  SERIALIZATION_FAILURE: "40001",
  DEADLOCK_DETECTED: "40P01",
} as const;

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return error instanceof SqlError && error.code === SqlState.UNIQUE_VIOLATION && error.constraint === constraint;
}

/** What a cancelled reader sees, whatever reason the signal carries: callers recognise it by its name. */
export function createAbortError(signal: AbortSignal | undefined): DOMException {
  return new DOMException("the query was cancelled", { name: "AbortError", cause: signal?.reason });
}

/** The first line of what was thrown, bounded, for messages that must stay one line. */
export function firstLineOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
