/**
 * What the service asks of its storage: users and the log of chat messages. Owns the shapes that cross the border and
 * nothing else; knows neither SQL nor gRPC. Two engines implement it behind one SQL text (see `database.ts`).
 *
 * Times are microseconds since the epoch as `bigint`, exactly as the database keeps them, so that a keyset position
 * never falls between two rows.
 */
import type { Requester } from "./requester.ts";

/** What lists give of a user: all but the metadata, which may be as large as everything else together many times over. */
export interface UserSummary {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly createdAtMicros: bigint;
  readonly updatedAtMicros: bigint;
  /** Opaque version; changes with every update. */
  readonly etag: string;
}

export interface UserRecord extends UserSummary {
  readonly metadata: Readonly<Record<string, string>>;
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

/**
 * Whoever asks takes turns with others, and is forgotten when the signal fires (see `requester.ts`); without a requester it
 * is the service itself that asks. Beside an engine's own errors everything here rejects with StorageUnavailableError or
 * TooManyWaitingError.
 */
export interface UserStore {
  /** One user; concurrent calls become one query. */
  find(id: string, requester?: Requester): Promise<UserRecord | undefined>;
  /** As `find`, without reading the metadata. */
  findSummary(id: string, requester?: Requester): Promise<UserSummary | undefined>;
  list(query: UserQuery, limit: number, requester?: Requester): Promise<UserSummary[]>;
  count(filter: string, requester?: Requester): Promise<number>;
  /**
   * Every match in batches, `limit` at most (0: no limit). A batch is read when its reader asks for it: the first is small,
   * and none has more than about 64 KiB. No transaction is open while the reader thinks.
   */
  scan(query: UserQuery, limit: number, requester?: Requester): AsyncIterable<UserSummary[]>;
  create(user: NewUser, requester?: Requester): Promise<CreateOutcome>;
  /** All in one transaction; a bad item is an outcome, never a loss of the good ones. Same length and order as given. */
  createMany(users: readonly NewUser[], requester?: Requester): Promise<CreateOutcome[]>;
  update(id: string, change: UserChange, etag?: string, requester?: Requester): Promise<UpdateOutcome>;
  /** False when there was no such user. The id is remembered as deleted. */
  delete(id: string, requester?: Requester): Promise<boolean>;
  /** Whether there was a user with this id and is none any more. */
  isDeleted(id: string, requester?: Requester): Promise<boolean>;
  isEmpty(): Promise<boolean>;
}

export interface StoredMessage {
  readonly roomId: string;
  readonly sequence: bigint;
  readonly senderId: string;
  readonly content: string;
  readonly sentAtMicros: bigint;
}

/** How much of the log is read at a time, whichever is reached first; a single message may have more bytes. */
export interface ReadLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** The log of every room: what gives messages their order and lets a stream resume. */
export interface MessageStore {
  /** Appends and numbers the message: sequences of a room increase by one, also under concurrency. */
  append(roomId: string, senderId: string, content: string, requester?: Requester): Promise<StoredMessage>;
  /** Messages of a room with a sequence above `after`, oldest first; at least one where there is one. */
  readAfter(roomId: string, after: bigint, limits: ReadLimits, requester?: Requester): Promise<StoredMessage[]>;
  /** The highest sequence of a room, 0 where nothing was said. */
  lastSequence(roomId: string, requester?: Requester): Promise<bigint>;
}

/** An opened storage: both stores over one engine. `close` waits for what is running. */
export interface Storage {
  readonly engine: "pglite" | "postgres";
  readonly users: UserStore;
  readonly messages: MessageStore;
  /** Resolves when the engine answers a trivial query. */
  ping(): Promise<void>;
  /** See `Database.close`. */
  close(withinMs?: number): Promise<void>;
}
