/**
 * Names for prepared statements. Owns the text → name table; the texts are constants of the program, so it is bounded.
 *
 * Invariant: one name, one text, for the life of the process (`pg` refuses a name with a second text).
 */
import type { QueryConfig } from "pg";
import type { SqlValue } from "../database.ts";

const names = new Map<string, string>();

export function prepared(text: string, params: readonly SqlValue[]): QueryConfig<unknown[]> {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size + 1}`;
    names.set(text, name);
  }
  return { name, text, values: [...params] };
}
