/**
 * The statements that list users. Owns their texts: one for each combination of order, direction, filter and position,
 * so that each has its own plan and walks the index of its order; knows no engine.
 *
 * Invariants: the order is total (the id breaks ties) and the same on every engine and locale (COLLATE "C"), and the
 * filter is a literal: nothing in it is a pattern.
 */
import type { SqlValue } from "./database.ts";
import { isStorableText } from "./storable.ts";
import { SUMMARY_COLUMNS, timeOfMicros } from "./user-rows.ts";
import type { SortField, UserQuery } from "./user-store.ts";

interface OrderSql {
  /** As in the index that serves this order. */
  readonly column: string;
  readonly parse: (param: string) => string;
}

const ORDERS: Readonly<Record<SortField, OrderSql>> = {
  created_at: { column: "created_at", parse: timeOfMicros },
  updated_at: { column: "updated_at", parse: timeOfMicros },
  name: { column: 'name COLLATE "C"', parse: (param) => `${param}::text` },
  email: { column: 'email COLLATE "C"', parse: (param) => `${param}::text` },
};

export interface Statement {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

/** Undefined when no user can match. */
export function listStatement(query: UserQuery, limit: number): Statement | undefined {
  return isStorableText(query.filter) ? pageStatement(query, limit, SUMMARY_COLUMNS) : undefined;
}

/**
 * As `listStatement`, and no further than `maxBytes`: each row has in `bytes_so_far` about what the rows up to it take in
 * memory, and the last may pass the bound. The size of the rows is not known before; asked for by number alone they could be
 * a hundred times as large as those before them. Undefined when no user can match.
 */
export function boundedListStatement(query: UserQuery, limit: number, maxBytes: number): Statement | undefined {
  if (!isStorableText(query.filter)) return undefined;
  const page = pageStatement(query, limit, `users.*, ${ROW_BYTES} AS row_bytes`);
  const order = orderSql(query);
  const text = `SELECT ${SUMMARY_COLUMNS}, bytes_so_far::int AS bytes_so_far
    FROM (
      SELECT page.*, sum(row_bytes) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS bytes_so_far
      FROM (${page.text}) AS page
    ) AS measured
    WHERE bytes_so_far - row_bytes < $${page.params.length + 1}::int ORDER BY ${order}`;
  return { text, params: [...page.params, maxBytes] };
}

/** Texts as they are, and what an object with its fields takes beside them. */
const ROW_BYTES = `(octet_length(users.id) + octet_length(email) + octet_length(name)
  + octet_length(array_to_string(roles, '')) + 64 * cardinality(roles) + 256)`;

function orderSql({ order: { field, descending } }: UserQuery): string {
  const direction = descending ? "DESC" : "ASC";
  return `${ORDERS[field].column} ${direction}, id ${direction}`;
}

function pageStatement(query: UserQuery, limit: number, columns: string): Statement {
  const params: SqlValue[] = [];
  const param = (value: SqlValue): string => `$${params.push(value)}`;
  const { field, descending } = query.order;
  const { column, parse } = ORDERS[field];
  const conditions: string[] = [];
  if (query.filter !== "") conditions.push(matches(param(query.filter)));
  if (query.after !== undefined) {
    const position = `(${parse(param(query.after.value))}, ${param(query.after.id)}::text)`;
    conditions.push(`(${column}, id) ${descending ? "<" : ">"} ${position}`);
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  let text = `SELECT ${columns} FROM users${where} ORDER BY ${orderSql(query)}`;
  text += ` LIMIT ${param(limit)}::int`;
  if (query.skip !== undefined && query.skip > 0) text += ` OFFSET ${param(query.skip)}::bigint`;
  return { text, params };
}

/** Undefined when no user can match. */
export function countStatement(filter: string): Statement | undefined {
  if (!isStorableText(filter)) return undefined;
  if (filter === "") return { text: "SELECT count(*)::text AS total FROM users", params: [] };
  return { text: `SELECT count(*)::text AS total FROM users WHERE ${matches("$1")}`, params: [filter] };
}

/** The collation of the database folds case here, for it knows more letters than "C" does. */
function matches(param: string): string {
  const needle = `lower(${param}::text)`;
  return `(strpos(lower(name), ${needle}) > 0 OR strpos(lower(email), ${needle}) > 0)`;
}
