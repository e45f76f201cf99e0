/**
 * What `pg` throws, as the storage's own errors. Owns the mapping from SQLSTATE classes (PostgreSQL, appendix A) and
 * from the driver's connection failures; knows no statement.
 *
 * Invariant: what may work later is a StorageUnavailableError, what the database refused is a SqlError.
 */
import { DatabaseError } from "pg";
import { firstLineOf, SqlError, StorageUnavailableError } from "../storage-error.ts";

/** Connection exceptions, insufficient resources, operator intervention: classes 08, 53, 57. */
const UNAVAILABLE_CLASSES: ReadonlySet<string> = new Set(["08", "53", "57"]);
const LOCK_NOT_AVAILABLE = "55P03";
const READ_ONLY_TRANSACTION = "25006";

export function toStorageError(error: unknown): Error {
  if (!(error instanceof DatabaseError) || error.code === undefined) {
    return new StorageUnavailableError(`Postgres cannot be reached: ${reasonOf(error)}`, { cause: error });
  }
  const { code, message, constraint } = error;
  // A server that is read-only has been demoted: the next connection reaches the new primary.
  if (UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || code === LOCK_NOT_AVAILABLE || code === READ_ONLY_TRANSACTION) {
    return new StorageUnavailableError(`Postgres cannot answer now: ${firstLineOf(message)} (${code})`, {
      cause: error,
    });
  }
  return new SqlError(firstLineOf(message), code, constraint);
}

/** True when the connection is of no use any more; false when the server answered, if only to refuse. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof StorageUnavailableError && !(error.cause instanceof DatabaseError);
}

/** One line for people; a refused connection to several addresses has an empty message and only a code. */
export function reasonOf(error: unknown): string {
  const line = firstLineOf(error);
  if (line !== "") return line;
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
