/**
 * Users in SQL. Owns reading, changing and deleting them; creating is in `user-creation.ts`, the texts of lists in
 * `user-list-sql.ts`. Knows no engine and no gRPC.
 *
 * Invariants: a scan holds no connection and no transaction while its reader thinks, and at most one batch in memory, which
 * is bounded in bytes; metadata is read only for those who get it;
 * what cannot be in a row (see `storable.ts`) is never sent as a search, so it cannot fail the others of its batch.
 */
import type { Database } from "./database.ts";
import { type Requester, SERVICE } from "./requester.ts";
import { assertStorableChange, isStorableText } from "./storable.ts";
import { createAbortError, isUniqueViolation } from "./storage-error.ts";
import { createBatch, createOne, EMAIL_CONSTRAINT } from "./user-creation.ts";
import { UserFinder } from "./user-finder.ts";
import { boundedListStatement, countStatement, listStatement, type Statement } from "./user-list-sql.ts";
import {
  SUMMARY_COLUMNS,
  type SummaryRow,
  toUserRecord,
  toUserSummary,
  USER_COLUMNS,
  type UserRow,
} from "./user-rows.ts";
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
  UserSummary,
} from "./user-store.ts";

/** More ids than this become several queries, so that one answer stays small. */
const FIND_BATCH = 500;
/** With up to 16 KiB of metadata each. */
const FIND_RECORD_BATCH = 50;

interface ScanBatch {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * What a scan reads first, and at most: a reader that takes nothing holds the first batch, and the one that takes everything
 * soon gets it in large ones.
 */
const FIRST_SCAN_BATCH: ScanBatch = { rows: 8, bytes: 4 * 1024 };
const LARGEST_SCAN_BATCH: ScanBatch = { rows: 500, bytes: 64 * 1024 };
const SCAN_GROWTH = 4;

/** Finds are asked for by everyone together. */
const FINDS: Requester = { group: "finds", member: "finds" };

const FIND = `SELECT ${USER_COLUMNS} FROM users WHERE id = ANY($1::text[])`;
const FIND_SUMMARY = `SELECT ${SUMMARY_COLUMNS} FROM users WHERE id = ANY($1::text[])`;

const UPDATE = `UPDATE users SET
    email = coalesce($2::text, email),
    name = coalesce($3::text, name),
    roles = coalesce($4::text[], roles),
    metadata = coalesce($5::text::jsonb, metadata),
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    version = version + 1
  WHERE id = $1 AND ($6::text IS NULL OR version::text = $6::text)
  RETURNING ${USER_COLUMNS}`;

// A sample user may have been deleted and be there again.
const DELETE = `WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING id)
  INSERT INTO deleted_users (id) SELECT id FROM gone
  ON CONFLICT (id) DO UPDATE SET deleted_at = now() RETURNING id`;
const DELETED = `SELECT EXISTS (SELECT 1 FROM deleted_users WHERE id = $1)
  AND NOT EXISTS (SELECT 1 FROM users WHERE id = $1) AS found`;
const EXISTS = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1) AS found";
const ANY = "SELECT EXISTS (SELECT 1 FROM users) AS found";

export class SqlUserStore implements UserStore {
  readonly #database: Database;
  readonly #records: UserFinder<UserRecord>;
  readonly #summaries: UserFinder<UserSummary>;

  constructor(database: Database) {
    this.#database = database;
    this.#records = new UserFinder(FIND_RECORD_BATCH, async (ids) =>
      (await database.lookup<UserRow>(FIND, [ids], FINDS)).map(toUserRecord),
    );
    this.#summaries = new UserFinder(FIND_BATCH, async (ids) =>
      (await database.lookup<SummaryRow>(FIND_SUMMARY, [ids], FINDS)).map(toUserSummary),
    );
  }

  async find(id: string, requester = SERVICE): Promise<UserRecord | undefined> {
    return isStorableText(id) ? this.#records.find(id, requester) : undefined;
  }

  async findSummary(id: string, requester = SERVICE): Promise<UserSummary | undefined> {
    return isStorableText(id) ? this.#summaries.find(id, requester) : undefined;
  }

  async list(query: UserQuery, limit: number, requester = SERVICE): Promise<UserSummary[]> {
    return (await this.#read<SummaryRow>(listStatement(query, limit), requester)).map(toUserSummary);
  }

  async count(filter: string, requester = SERVICE): Promise<number> {
    const [row] = await this.#read<{ total: string }>(countStatement(filter), requester);
    return Number(row?.total ?? 0);
  }

  async *scan(query: UserQuery, limit: number, requester = SERVICE): AsyncGenerator<UserSummary[], void, undefined> {
    let remaining = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let next = query;
    let size = FIRST_SCAN_BATCH;
    while (remaining > 0) {
      if (requester.signal?.aborted) throw createAbortError(requester.signal);
      const wanted = Math.min(remaining, size.rows);
      const statement = boundedListStatement(next, wanted, size.bytes);
      const rows = await this.#read<SummaryRow & { readonly bytes_so_far: number }>(statement, requester);
      const batch = rows.map(toUserSummary);
      const [last, lastRow] = [batch.at(-1), rows.at(-1)];
      if (last === undefined || lastRow === undefined) return;
      yield batch;
      const isEnd = rows.length < wanted && lastRow.bytes_so_far < size.bytes;
      if (isEnd) return;
      remaining -= rows.length;
      next = { filter: query.filter, order: query.order, after: cursorAt(last, query.order.field) };
      size = grow(size);
    }
  }

  create(user: NewUser, requester = SERVICE): Promise<CreateOutcome> {
    return createOne(this.#database, user, requester);
  }

  createMany(users: readonly NewUser[], requester = SERVICE): Promise<CreateOutcome[]> {
    return createBatch(this.#database, users, requester);
  }

  async update(id: string, change: UserChange, etag?: string, requester = SERVICE): Promise<UpdateOutcome> {
    if (!isStorableText(id)) return { kind: "not-found" };
    if (etag !== undefined && !isStorableText(etag)) return this.#explainNoUpdate(id, requester);
    assertStorableChange(change);
    const { email = null, name = null, roles = null } = change;
    const metadata = change.metadata === undefined ? null : JSON.stringify(change.metadata);
    try {
      const params = [id, email, name, roles, metadata, etag ?? null];
      const [row] = await this.#database.write<UserRow>(UPDATE, params, requester);
      if (row !== undefined) return { kind: "updated", user: toUserRecord(row) };
    } catch (error) {
      if (isUniqueViolation(error, EMAIL_CONSTRAINT)) return { kind: "email-taken" };
      throw error;
    }
    return etag === undefined ? { kind: "not-found" } : this.#explainNoUpdate(id, requester);
  }

  async delete(id: string, requester = SERVICE): Promise<boolean> {
    if (!isStorableText(id)) return false;
    return (await this.#database.write(DELETE, [id], requester)).length > 0;
  }

  async isDeleted(id: string, requester = SERVICE): Promise<boolean> {
    if (!isStorableText(id)) return false;
    const [row] = await this.#database.lookup<{ found: boolean }>(DELETED, [id], requester);
    return row?.found === true;
  }

  async isEmpty(): Promise<boolean> {
    const [row] = await this.#database.lookup<{ found: boolean }>(ANY);
    return row?.found !== true;
  }

  /** Versions only grow, so what exists now and did not match before does not match either. */
  async #explainNoUpdate(id: string, requester: Requester): Promise<UpdateOutcome> {
    const [row] = await this.#database.query<{ found: boolean }>(EXISTS, [id], requester);
    return { kind: row?.found === true ? "etag-mismatch" : "not-found" };
  }

  /** Without a statement nothing can match. */
  async #read<Row extends object>(statement: Statement | undefined, requester: Requester): Promise<Row[]> {
    if (statement === undefined) return [];
    return this.#database.query<Row>(statement.text, statement.params, requester);
  }
}

function grow({ rows, bytes }: ScanBatch): ScanBatch {
  return {
    rows: Math.min(rows * SCAN_GROWTH, LARGEST_SCAN_BATCH.rows),
    bytes: Math.min(bytes * SCAN_GROWTH, LARGEST_SCAN_BATCH.bytes),
  };
}

/** The position right after `user` in an order by `field`. */
export function cursorAt(user: UserSummary, field: SortField): UserCursor {
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
