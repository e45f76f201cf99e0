/**
 * The stores as the handlers see them: a storage that cannot answer is UNAVAILABLE, a caller who has too much waiting there
 * is told RESOURCE_EXHAUSTED (another replica would say the same, and trying again at once makes it worse), both in words
 * that are safe to send. Every other fault passes as it is; the library answers those with INTERNAL and hands them to the log. Knows the
 * storage's error classes, so that no handler must.
 */

import { StorageUnavailableError, TooManyWaitingError } from "../storage/storage-error.ts";
import type { MessageStore, Storage, UserStore } from "../storage/user-store.ts";
import { storageUnavailable, tooManyWaiting } from "./errors.ts";

export function guardStorage({ users, messages }: Storage): { users: UserStore; messages: MessageStore } {
  return { users: guardUsers(users), messages: guardMessages(messages) };
}

function guardUsers(users: UserStore): UserStore {
  return {
    find: (id, requester) => users.find(id, requester).catch(rethrow),
    findSummary: (id, requester) => users.findSummary(id, requester).catch(rethrow),
    list: (query, limit, requester) => users.list(query, limit, requester).catch(rethrow),
    count: (filter, requester) => users.count(filter, requester).catch(rethrow),
    async *scan(query, limit, requester) {
      try {
        yield* users.scan(query, limit, requester);
      } catch (error) {
        rethrow(error);
      }
    },
    create: (user, requester) => users.create(user, requester).catch(rethrow),
    createMany: (batch, requester) => users.createMany(batch, requester).catch(rethrow),
    update: (id, change, etag, requester) => users.update(id, change, etag, requester).catch(rethrow),
    delete: (id, requester) => users.delete(id, requester).catch(rethrow),
    isDeleted: (id, requester) => users.isDeleted(id, requester).catch(rethrow),
    isEmpty: () => users.isEmpty().catch(rethrow),
  };
}

function guardMessages(messages: MessageStore): MessageStore {
  return {
    append: (roomId, senderId, content, requester) =>
      messages.append(roomId, senderId, content, requester).catch(rethrow),
    readAfter: (roomId, after, limits, requester) =>
      messages.readAfter(roomId, after, limits, requester).catch(rethrow),
    lastSequence: (roomId, requester) => messages.lastSequence(roomId, requester).catch(rethrow),
  };
}

function rethrow(error: unknown): never {
  if (error instanceof StorageUnavailableError) throw storageUnavailable(error);
  throw error instanceof TooManyWaitingError ? tooManyWaiting(error) : error;
}
