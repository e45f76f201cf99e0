/**
 * Creating users exactly once. Owns the statements that write a user together with its request id, and how a repeated
 * request is answered; knows no engine and nothing of reading.
 *
 * Invariants
 * - A request id and its user are written by one statement or one transaction, never apart. A concurrent request with
 *   the same id waits at the primary key of `idempotency` and then finds the winner's row.
 * - Request ids are claimed before emails, and both in sorted order, so that batches seldom deadlock.
 * - A failed request keeps no id: it may be sent again.
 */
import { createHash } from "node:crypto";
import type { Database, Queryable, SqlValue } from "./database.ts";
import type { Requester } from "./requester.ts";
import { assertStorableUser } from "./storable.ts";
import { isUniqueViolation } from "./storage-error.ts";
import { createUserId } from "./user-id.ts";
import { asCreated, microsOf, toUserRecord, USER_COLUMNS, type UserRow } from "./user-rows.ts";
import type { CreateOutcome, NewUser } from "./user-store.ts";

export const EMAIL_CONSTRAINT = "users_email_unique";

const INSERT_ONE = `INSERT INTO users (id, email, name, roles, metadata)
  VALUES ($1, $2, $3, $4::text[], $5::text::jsonb) RETURNING ${USER_COLUMNS}`;

const CLAIM_AND_INSERT_ONE = `WITH claim AS (
    INSERT INTO idempotency (request_id, request_hash, user_id) VALUES ($6, $7, $1)
    ON CONFLICT (request_id) DO NOTHING RETURNING user_id
  )
  INSERT INTO users (id, email, name, roles, metadata)
  SELECT user_id, $2, $3, $4::text[], $5::text::jsonb FROM claim RETURNING ${USER_COLUMNS}`;

const CLAIM_MANY = `INSERT INTO idempotency (request_id, request_hash, user_id)
  SELECT request_id, request_hash, user_id
  FROM unnest($1::text[], $2::text[], $3::text[]) AS claim (request_id, request_hash, user_id)
  ORDER BY request_id COLLATE "C" ON CONFLICT (request_id) DO NOTHING RETURNING request_id`;

const INSERT_MANY = `INSERT INTO users (id, email, name, roles, metadata)
  SELECT id, email, name, roles, metadata
  FROM jsonb_to_recordset($1::text::jsonb)
    AS item (position int, id text, email text, name text, roles text[], metadata jsonb)
  ORDER BY lower(email) COLLATE "C", position
  ON CONFLICT (lower(email) COLLATE "C") DO NOTHING RETURNING ${USER_COLUMNS}`;

const RELEASE_MANY = "DELETE FROM idempotency WHERE request_id = ANY($1::text[])";

const FIND_CLAIMS = `SELECT request_id, request_hash, user_id, ${microsOf("created_at")} AS created_micros
  FROM idempotency WHERE request_id = ANY($1::text[])`;

interface ClaimRow {
  readonly request_id: string;
  readonly request_hash: string;
  readonly user_id: string;
  readonly created_micros: string;
}

/** An item of a batch on its way to an outcome. */
interface Item {
  readonly position: number;
  readonly id: string;
  readonly user: NewUser;
}

export async function createOne(database: Database, user: NewUser, requester: Requester): Promise<CreateOutcome> {
  assertStorableUser(user);
  const params: SqlValue[] = [createUserId(), user.email, user.name, user.roles, JSON.stringify(user.metadata)];
  if (user.requestId !== undefined) params.push(user.requestId, hashOf(user));
  try {
    const text = user.requestId === undefined ? INSERT_ONE : CLAIM_AND_INSERT_ONE;
    const [row] = await database.write<UserRow>(text, params, requester);
    if (row !== undefined) return { kind: "created", user: toUserRecord(row), replayed: false };
  } catch (error) {
    if (isUniqueViolation(error, EMAIL_CONSTRAINT)) return { kind: "email-taken" };
    throw error;
  }
  const claims = await findClaims(database, [user], requester);
  return answerRepeated(user, claims);
}

export async function createBatch(
  database: Database,
  users: readonly NewUser[],
  requester: Requester,
): Promise<CreateOutcome[]> {
  for (const user of users) assertStorableUser(user);
  if (users.length === 0) return [];
  return database.transaction(async (transaction) => {
    const outcomes = new Map<number, CreateOutcome>();
    let pending = users.map((user, position): Item => ({ position, id: createUserId(), user }));
    // One round for items without a request id and the first of each id; an id that comes again meets the result of
    // the round before, exactly as if it had been sent later.
    while (pending.length > 0) {
      const { first, repeated } = splitRepeated(pending);
      for (const [position, outcome] of await createRound(transaction, first)) outcomes.set(position, outcome);
      pending = repeated;
    }
    return users.map((_, position) => outcomes.get(position) ?? { kind: "email-taken" });
  }, requester);
}

/** Outcomes by position; an item that has none met a taken email. */
async function createRound(transaction: Queryable, items: readonly Item[]): Promise<Map<number, CreateOutcome>> {
  const outcomes = new Map<number, CreateOutcome>();
  const claimed = await claim(transaction, items);
  const isRepeated = ({ user }: Item): boolean => user.requestId !== undefined && !claimed.has(user.requestId);
  const fresh = items.filter((item) => !isRepeated(item));
  const created = await insert(transaction, fresh);
  const failedIds: string[] = [];
  for (const { position, id, user } of fresh) {
    const row = created.get(id);
    if (row !== undefined) outcomes.set(position, { kind: "created", user: toUserRecord(row), replayed: false });
    else if (user.requestId !== undefined) failedIds.push(user.requestId);
  }
  if (failedIds.length > 0) await transaction.query(RELEASE_MANY, [failedIds]);
  const repeated = items.filter(isRepeated);
  const claims = await findClaims(
    transaction,
    repeated.map(({ user }) => user),
  );
  for (const { position, user } of repeated) outcomes.set(position, answerRepeated(user, claims));
  return outcomes;
}

async function claim(transaction: Queryable, items: readonly Item[]): Promise<ReadonlySet<string>> {
  const requestIds: string[] = [];
  const hashes: string[] = [];
  const userIds: string[] = [];
  for (const { id, user } of items) {
    if (user.requestId === undefined) continue;
    requestIds.push(user.requestId);
    hashes.push(hashOf(user));
    userIds.push(id);
  }
  if (requestIds.length === 0) return new Set();
  const rows = await transaction.query<{ request_id: string }>(CLAIM_MANY, [requestIds, hashes, userIds]);
  return new Set(rows.map(({ request_id }) => request_id));
}

async function insert(transaction: Queryable, items: readonly Item[]): Promise<ReadonlyMap<string, UserRow>> {
  if (items.length === 0) return new Map();
  const records = items.map(({ position, id, user: { email, name, roles, metadata } }) => {
    return { position, id, email, name, roles, metadata };
  });
  const rows = await transaction.query<UserRow>(INSERT_MANY, [JSON.stringify(records)]);
  return new Map(rows.map((row) => [row.id, row]));
}

async function findClaims(
  queryable: Queryable,
  users: readonly NewUser[],
  requester?: Requester,
): Promise<ReadonlyMap<string, ClaimRow>> {
  const requestIds = users.flatMap(({ requestId }) => requestId ?? []);
  if (requestIds.length === 0) return new Map();
  const rows = await queryable.query<ClaimRow>(FIND_CLAIMS, [requestIds], requester);
  return new Map(rows.map((row) => [row.request_id, row]));
}

function answerRepeated(user: NewUser, claims: ReadonlyMap<string, ClaimRow>): CreateOutcome {
  const row = claims.get(user.requestId ?? "");
  if (row === undefined) throw new Error("a request id was taken and then gone: rows of idempotency are never deleted");
  if (row.request_hash !== hashOf(user)) return { kind: "request-mismatch" };
  return { kind: "created", user: asCreated(user, row.user_id, row.created_micros), replayed: true };
}

function splitRepeated(items: readonly Item[]): { first: Item[]; repeated: Item[] } {
  const seen = new Set<string>();
  const first: Item[] = [];
  const repeated: Item[] = [];
  for (const item of items) {
    const { requestId } = item.user;
    const isRepeated = requestId !== undefined && seen.has(requestId);
    if (requestId !== undefined) seen.add(requestId);
    (isRepeated ? repeated : first).push(item);
  }
  return { first, repeated };
}

/** Of the content alone; the order of metadata is no content, the order of roles is. */
function hashOf({ email, name, roles, metadata }: NewUser): string {
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([email, name, roles, entries]))
    .digest("base64url");
}
