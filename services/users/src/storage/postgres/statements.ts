/**
 * Statements as `pg` takes them: prepared, with a limit of our own. Owns the text → name table; the texts are constants
 * of the program, so it is bounded.
 *
 * Invariant: one name, one text, for the life of the process (`pg` refuses a name with a second text). The limit is kept
 * on this side, because a server behind a broken network cannot keep its own.
 */
import type { QueryConfig } from "pg";
import type { SqlValue } from "../database.ts";

const names = new Map<string, string>();

export interface LimitedQuery extends QueryConfig<unknown[]> {
  /** `pg` gives up on the answer after this time; the connection is of no use then. */
  readonly query_timeout: number;
}

export function prepared(text: string, params: readonly SqlValue[], timeoutMs: number): LimitedQuery {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size + 1}`;
    names.set(text, name);
  }
  return { name, text, values: [...params], query_timeout: timeoutMs };
}
