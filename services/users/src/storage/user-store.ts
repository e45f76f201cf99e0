/**
 * What the service asks of its storage: users and the log of chat messages. Owns the shapes that cross the border and
 * nothing else; knows neither SQL nor gRPC. Two engines implement it behind one SQL text (see `database.ts`).
 *
 * Times are microseconds since the epoch as `bigint`, exactly as the database keeps them, so that a keyset position
 * never falls between two rows.
 */

export interface UserRecord {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAtMicros: bigint;
  readonly updatedAtMicros: bigint;
  /** Opaque version; changes with every update. */
  readonly etag: string;
}

export const SORT_FIELDS = ["created_at", "name", "email", "updated_at"] as const;
export type SortField = (typeof SORT_FIELDS)[number];

export interface UserOrder {
  readonly field: SortField;
  readonly descending: boolean;
}

/** A keyset position: the sort column's value (text, or microseconds in decimal) and the id of the last row seen. */
export interface UserCursor {
  readonly value: string;
  readonly id: string;
}

/** Which users, in which order. `filter` is a literal, case-insensitive substring of name or email; "" matches all. */
export interface UserQuery {
  readonly filter: string;
  readonly order: UserOrder;
  /** Start after this position. */
  readonly after?: UserCursor;
  /** Leave out this many rows first (page numbers). */
  readonly skip?: number;
}

export interface NewUser {
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Idempotency key. The same key with other content is a mismatch. */
  readonly requestId?: string;
}

export type CreateOutcome =
  /** `replayed`: an earlier request with this key created it. */
  | { readonly kind: "created"; readonly user: UserRecord; readonly replayed: boolean }
  | { readonly kind: "email-taken" }
  | { readonly kind: "request-mismatch" };

/** Only the fields that are present change. */
export interface UserChange {
  readonly email?: string;
  readonly name?: string;
  readonly roles?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

export type UpdateOutcome =
  | { readonly kind: "updated"; readonly user: UserRecord }
  | { readonly kind: "not-found" }
  | { readonly kind: "email-taken" }
  | { readonly kind: "etag-mismatch" };

export interface UserStore {
  /** One user; concurrent calls of one turn become one query. */
  find(id: string): Promise<UserRecord | undefined>;
  list(query: UserQuery, limit: number, signal?: AbortSignal): Promise<UserRecord[]>;
  count(filter: string, signal?: AbortSignal): Promise<number>;
  /** Every match in batches, `limit` at most (0: no limit). No transaction is open while the reader thinks. */
  scan(query: UserQuery, limit: number, signal: AbortSignal): AsyncIterable<UserRecord[]>;
  create(user: NewUser): Promise<CreateOutcome>;
  /** All in one transaction; a bad item is an outcome, never a loss of the good ones. Same length and order as given. */
  createMany(users: readonly NewUser[]): Promise<CreateOutcome[]>;
  update(id: string, change: UserChange, etag?: string): Promise<UpdateOutcome>;
  /** False when there was no such user. */
  delete(id: string): Promise<boolean>;
  isEmpty(): Promise<boolean>;
}

export interface StoredMessage {
  readonly roomId: string;
  readonly sequence: bigint;
  readonly senderId: string;
  readonly content: string;
  readonly sentAtMicros: bigint;
}

/** The log of every room: what gives messages their order and lets a stream resume. */
export interface MessageStore {
  /** Appends and numbers the message: sequences of a room increase by one, also under concurrency. */
  append(roomId: string, senderId: string, content: string): Promise<StoredMessage>;
  /** Messages of a room with a sequence above `after`, oldest first. */
  readAfter(roomId: string, after: bigint, limit: number): Promise<StoredMessage[]>;
  /** The highest sequence of a room, 0 where nothing was said. */
  lastSequence(roomId: string): Promise<bigint>;
}

/** An opened storage: both stores over one engine. `close` waits for what is running. */
export interface Storage {
  readonly engine: "pglite" | "postgres";
  readonly users: UserStore;
  readonly messages: MessageStore;
  /** Resolves when the engine answers a trivial query. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
