/**
 * Users in SQL. Owns reading, changing and deleting them; creating is in `user-creation.ts`, the texts of lists in
 * `user-list-sql.ts`. Knows no engine and no gRPC.
 *
 * Invariants: a scan holds no connection and no transaction while its reader thinks, and at most one batch in memory;
 * what cannot be in a row (see `storable.ts`) is never sent as a search, so it cannot fail the others of its batch.
 */
import DataLoader from "dataloader";
import type { Database } from "./database.ts";
import { assertStorableChange, isStorableText } from "./storable.ts";
import { createAbortError, isUniqueViolation } from "./storage-error.ts";
import { createBatch, createOne, EMAIL_CONSTRAINT } from "./user-creation.ts";
import { countStatement, listStatement } from "./user-list-sql.ts";
import { toUserRecord, USER_COLUMNS, type UserRow } from "./user-rows.ts";
import type {
  CreateOutcome,
  NewUser,
  SortField,
  UpdateOutcome,
  UserChange,
  UserCursor,
  UserQuery,
  UserRecord,
  UserStore,
} from "./user-store.ts";

/** More ids than this in one turn become several queries, so that one answer stays small. */
const FIND_BATCH = 500;
/** Rows a scan reads ahead of its reader. */
const SCAN_BATCH = 500;

const FIND = `SELECT ${USER_COLUMNS} FROM users WHERE id = ANY($1::text[])`;

const UPDATE = `UPDATE users SET
    email = coalesce($2::text, email),
    name = coalesce($3::text, name),
    roles = coalesce($4::text[], roles),
    metadata = coalesce($5::text::jsonb, metadata),
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    version = version + 1
  WHERE id = $1 AND ($6::text IS NULL OR version::text = $6::text)
  RETURNING ${USER_COLUMNS}`;

const DELETE = "DELETE FROM users WHERE id = $1 RETURNING id";
const EXISTS = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1) AS found";
const ANY = "SELECT EXISTS (SELECT 1 FROM users) AS found";

export class SqlUserStore implements UserStore {
  readonly #database: Database;
  readonly #finder: DataLoader<string, UserRecord | undefined>;

  constructor(database: Database) {
    this.#database = database;
    this.#finder = new DataLoader((ids) => this.#findAll(ids), {
      cache: false,
      maxBatchSize: FIND_BATCH,
      // Not before the sockets of this turn were read: the calls of all connections share a query.
      batchScheduleFn: (dispatch) => setImmediate(dispatch),
    });
  }

  async find(id: string): Promise<UserRecord | undefined> {
    return isStorableText(id) ? this.#finder.load(id) : undefined;
  }

  async list(query: UserQuery, limit: number, signal?: AbortSignal): Promise<UserRecord[]> {
    const statement = listStatement(query, limit);
    if (statement === undefined) return [];
    const rows = await this.#database.query<UserRow>(statement.text, statement.params, signal);
    return rows.map(toUserRecord);
  }

  async count(filter: string, signal?: AbortSignal): Promise<number> {
    const statement = countStatement(filter);
    if (statement === undefined) return 0;
    const [row] = await this.#database.query<{ total: string }>(statement.text, statement.params, signal);
    return Number(row?.total);
  }

  async *scan(query: UserQuery, limit: number, signal: AbortSignal): AsyncGenerator<UserRecord[], void, undefined> {
    let remaining = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let next = query;
    while (remaining > 0) {
      if (signal.aborted) throw createAbortError(signal);
      const wanted = Math.min(remaining, SCAN_BATCH);
      const batch = await this.list(next, wanted, signal);
      const last = batch.at(-1);
      if (last === undefined) return;
      yield batch;
      if (batch.length < wanted) return;
      remaining -= batch.length;
      next = { filter: query.filter, order: query.order, after: cursorAt(last, query.order.field) };
    }
  }

  create(user: NewUser): Promise<CreateOutcome> {
    return createOne(this.#database, user);
  }

  createMany(users: readonly NewUser[]): Promise<CreateOutcome[]> {
    return createBatch(this.#database, users);
  }

  async update(id: string, change: UserChange, etag?: string): Promise<UpdateOutcome> {
    if (!isStorableText(id)) return { kind: "not-found" };
    if (etag !== undefined && !isStorableText(etag)) return this.#explainNoUpdate(id);
    assertStorableChange(change);
    const { email = null, name = null, roles = null } = change;
    const metadata = change.metadata === undefined ? null : JSON.stringify(change.metadata);
    try {
      const params = [id, email, name, roles, metadata, etag ?? null];
      const [row] = await this.#database.query<UserRow>(UPDATE, params);
      if (row !== undefined) return { kind: "updated", user: toUserRecord(row) };
    } catch (error) {
      if (isUniqueViolation(error, EMAIL_CONSTRAINT)) return { kind: "email-taken" };
      throw error;
    }
    return etag === undefined ? { kind: "not-found" } : this.#explainNoUpdate(id);
  }

  async delete(id: string): Promise<boolean> {
    if (!isStorableText(id)) return false;
    return (await this.#database.query(DELETE, [id])).length > 0;
  }

  async isEmpty(): Promise<boolean> {
    const [row] = await this.#database.lookup<{ found: boolean }>(ANY);
    return row?.found !== true;
  }

  /** Versions only grow, so what exists now and did not match before does not match either. */
  async #explainNoUpdate(id: string): Promise<UpdateOutcome> {
    const [row] = await this.#database.query<{ found: boolean }>(EXISTS, [id]);
    return { kind: row?.found === true ? "etag-mismatch" : "not-found" };
  }

  async #findAll(ids: readonly string[]): Promise<(UserRecord | undefined)[]> {
    const rows = await this.#database.lookup<UserRow>(FIND, [ids]);
    const users = new Map(rows.map((row) => [row.id, toUserRecord(row)]));
    return ids.map((id) => users.get(id));
  }
}

/** The position right after `user` in an order by `field`. */
export function cursorAt(user: UserRecord, field: SortField): UserCursor {
  switch (field) {
    case "created_at":
      return { value: String(user.createdAtMicros), id: user.id };
    case "updated_at":
      return { value: String(user.updatedAtMicros), id: user.id };
    case "name":
      return { value: user.name, id: user.id };
    case "email":
      return { value: user.email, id: user.id };
  }
}
