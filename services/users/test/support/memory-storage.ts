/**
 * A storage in memory for unit tests: the same rules as the real engines, and faults on demand. `gate` holds back the
 * answers of the message log, so that a test decides what happens between a question and its answer.
 */

import type { Requester } from "../../src/storage/requester.ts";
import { createAbortError } from "../../src/storage/storage-error.ts";
import type {
  CreateOutcome,
  MessageStore,
  NewUser,
  ReadLimits,
  Storage,
  StoredMessage,
  UpdateOutcome,
  UserChange,
  UserQuery,
  UserRecord,
  UserStore,
  UserSummary,
} from "../../src/storage/user-store.ts";

export class MemoryUserStore implements UserStore {
  /** Thrown by the next calls, while set. */
  fault: Error | undefined;
  /** The sizes of the batches that `createMany` was given. */
  readonly batches: number[] = [];
  /** How many batches `scan` has read. */
  scanned = 0;
  readonly scanBatch: number;
  readonly #users = new Map<string, UserRecord>();
  readonly #deleted = new Set<string>();
  readonly #requests = new Map<string, { content: string; id: string }>();
  #clock = 1_700_000_000_000_000n;

  constructor(scanBatch = 10) {
    this.scanBatch = scanBatch;
  }

  async find(id: string): Promise<UserRecord | undefined> {
    this.#check();
    return this.#users.get(id);
  }

  async findSummary(id: string): Promise<UserSummary | undefined> {
    const user = await this.find(id);
    return user && summaryOf(user);
  }

  async list(query: UserQuery, limit: number, requester?: Requester): Promise<UserSummary[]> {
    this.#check(requester?.signal);
    return this.#matches(query).slice(0, limit).map(summaryOf);
  }

  async count(filter: string, requester?: Requester): Promise<number> {
    this.#check(requester?.signal);
    return [...this.#users.values()].filter((user) => isMatch(user, filter)).length;
  }

  async *scan(query: UserQuery, limit: number, requester?: Requester): AsyncGenerator<UserSummary[]> {
    const all = this.#matches(query).slice(0, limit === 0 ? undefined : limit);
    for (let start = 0; start < all.length; start += this.scanBatch) {
      this.#check(requester?.signal);
      this.scanned++;
      yield all.slice(start, start + this.scanBatch).map(summaryOf);
    }
  }

  async create(user: NewUser): Promise<CreateOutcome> {
    this.#check();
    return this.#insert(user);
  }

  async createMany(users: readonly NewUser[]): Promise<CreateOutcome[]> {
    this.#check();
    this.batches.push(users.length);
    return users.map((user) => this.#insert(user));
  }

  async update(id: string, change: UserChange, etag?: string): Promise<UpdateOutcome> {
    this.#check();
    const user = this.#users.get(id);
    if (user === undefined) return { kind: "not-found" };
    if (etag !== undefined && etag !== user.etag) return { kind: "etag-mismatch" };
    if (change.email !== undefined && this.#isTaken(change.email, id)) return { kind: "email-taken" };
    const updated = { ...user, ...change, updatedAtMicros: ++this.#clock, etag: `v${this.#clock}` };
    this.#users.set(id, updated);
    return { kind: "updated", user: updated };
  }

  async delete(id: string): Promise<boolean> {
    this.#check();
    if (!this.#users.delete(id)) return false;
    this.#deleted.add(id);
    return true;
  }

  async isDeleted(id: string): Promise<boolean> {
    this.#check();
    return this.#deleted.has(id) && !this.#users.has(id);
  }

  async isEmpty(): Promise<boolean> {
    return this.#users.size === 0;
  }

  #insert(user: NewUser): CreateOutcome {
    const { requestId, ...content } = user;
    const earlier = requestId === undefined ? undefined : this.#requests.get(requestId);
    if (earlier !== undefined) {
      const found = this.#users.get(earlier.id);
      if (earlier.content !== JSON.stringify(content) || found === undefined) return { kind: "request-mismatch" };
      return { kind: "created", user: found, replayed: true };
    }
    if (this.#isTaken(user.email)) return { kind: "email-taken" };
    const now = ++this.#clock;
    const created = { id: `u${now}`, ...content, createdAtMicros: now, updatedAtMicros: now, etag: `v${now}` };
    this.#users.set(created.id, created);
    if (requestId !== undefined) this.#requests.set(requestId, { content: JSON.stringify(content), id: created.id });
    return { kind: "created", user: created, replayed: false };
  }

  #isTaken(email: string, exceptId?: string): boolean {
    const wanted = email.toLowerCase();
    return [...this.#users.values()].some((user) => user.id !== exceptId && user.email.toLowerCase() === wanted);
  }

  #matches({ filter, order, after, skip }: UserQuery): UserRecord[] {
    const sign = order.descending ? -1 : 1;
    const key = (user: UserRecord): string | bigint =>
      order.field === "created_at"
        ? user.createdAtMicros
        : order.field === "updated_at"
          ? user.updatedAtMicros
          : user[order.field];
    const compare = (a: string | bigint, b: string | bigint): number => (a < b ? -1 : a > b ? 1 : 0);
    const rank = (a: UserRecord, value: string | bigint, id: string): number =>
      sign * (compare(key(a), value) || compare(a.id, id));
    const sorted = [...this.#users.values()]
      .filter((user) => isMatch(user, filter))
      .toSorted((a, b) => rank(a, key(b), b.id));
    const isTime = order.field === "created_at" || order.field === "updated_at";
    const from = after && { value: isTime ? BigInt(after.value) : after.value, id: after.id };
    return sorted.filter((user) => from === undefined || rank(user, from.value, from.id) > 0).slice(skip ?? 0);
  }

  #check(signal?: AbortSignal): void {
    if (this.fault !== undefined) throw this.fault;
    if (signal?.aborted) throw createAbortError(signal);
  }
}

function summaryOf({ metadata: _, ...summary }: UserRecord): UserSummary {
  return summary;
}

function isMatch(user: UserRecord, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return user.name.toLowerCase().includes(wanted) || user.email.toLowerCase().includes(wanted);
}

export class MemoryMessageStore implements MessageStore {
  fault: Error | undefined;
  /** How many times the log was read. */
  reads = 0;
  /** Awaited before each answer of `append`: lets a test turn the order of answers around. */
  afterAppend: (message: StoredMessage) => Promise<void> = async () => undefined;
  /** Awaited before each answer of `readAfter`, which has been decided by then. */
  afterRead: () => Promise<void> = async () => undefined;
  readonly #rooms = new Map<string, StoredMessage[]>();

  async append(roomId: string, senderId: string, content: string): Promise<StoredMessage> {
    if (this.fault !== undefined) throw this.fault;
    const room = this.#room(roomId);
    const sequence = BigInt(room.length + 1);
    const message = { roomId, sequence, senderId, content, sentAtMicros: 1_700_000_000_000_000n + sequence };
    room.push(message);
    await this.afterAppend(message);
    return message;
  }

  async readAfter(roomId: string, after: bigint, { messages, bytes }: ReadLimits): Promise<StoredMessage[]> {
    if (this.fault !== undefined) throw this.fault;
    this.reads++;
    const found: StoredMessage[] = [];
    let left = bytes;
    for (const message of this.#room(roomId)) {
      if (message.sequence <= after) continue;
      left -= Buffer.byteLength(message.content);
      if (found.length === messages || (left < 0 && found.length > 0)) break;
      found.push(message);
    }
    await this.afterRead();
    return found;
  }

  async lastSequence(roomId: string, _requester?: Requester): Promise<bigint> {
    if (this.fault !== undefined) throw this.fault;
    return BigInt(this.#room(roomId).length);
  }

  #room(roomId: string): StoredMessage[] {
    const room = this.#rooms.get(roomId) ?? [];
    this.#rooms.set(roomId, room);
    return room;
  }
}

export class MemoryStorage implements Storage {
  readonly engine = "pglite";
  readonly users: MemoryUserStore;
  readonly messages = new MemoryMessageStore();

  constructor(scanBatch?: number) {
    this.users = new MemoryUserStore(scanBatch);
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}
