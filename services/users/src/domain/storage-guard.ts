/**
 * The stores as the handlers see them: a storage that cannot answer is UNAVAILABLE, said in words that are safe to
 * send. Every other fault passes as it is; the library answers those with INTERNAL and hands them to the log. Knows the
 * storage's error classes, so that no handler must.
 */

import { StorageUnavailableError } from "../storage/storage-error.ts";
import type { MessageStore, Storage, UserStore } from "../storage/user-store.ts";
import { storageUnavailable } from "./errors.ts";

export function guardStorage({ users, messages }: Storage): { users: UserStore; messages: MessageStore } {
  return { users: guardUsers(users), messages: guardMessages(messages) };
}

function guardUsers(users: UserStore): UserStore {
  return {
    find: (id) => users.find(id).catch(rethrow),
    list: (query, limit, signal) => users.list(query, limit, signal).catch(rethrow),
    count: (filter, signal) => users.count(filter, signal).catch(rethrow),
    async *scan(query, limit, signal) {
      try {
        yield* users.scan(query, limit, signal);
      } catch (error) {
        rethrow(error);
      }
    },
    create: (user) => users.create(user).catch(rethrow),
    createMany: (batch) => users.createMany(batch).catch(rethrow),
    update: (id, change, etag) => users.update(id, change, etag).catch(rethrow),
    delete: (id) => users.delete(id).catch(rethrow),
    isEmpty: () => users.isEmpty().catch(rethrow),
  };
}

function guardMessages(messages: MessageStore): MessageStore {
  return {
    append: (roomId, senderId, content) => messages.append(roomId, senderId, content).catch(rethrow),
    readAfter: (roomId, after, limit) => messages.readAfter(roomId, after, limit).catch(rethrow),
    lastSequence: (roomId) => messages.lastSequence(roomId).catch(rethrow),
  };
}

function rethrow(error: unknown): never {
  throw error instanceof StorageUnavailableError ? storageUnavailable(error) : error;
}
