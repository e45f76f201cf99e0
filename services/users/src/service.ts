/**
 * The UserService as a server, without a process around it: what main, tests and benches share. Owns the wiring of
 * handlers to storage, chat and page tokens; knows neither the environment nor signals, and opens nothing itself.
 */

import { Server, type ServerOptions } from "volant";
import { health, reflection } from "volant/services";
import { type ChatLimits, DEFAULT_CHAT_LIMITS } from "./domain/chat/chat-session.ts";
import { LocalRoomBus, type RoomBus } from "./domain/chat/room-bus.ts";
import { RoomHub } from "./domain/chat/room-hub.ts";
import { claimedIdentity, type Identity } from "./domain/identity.ts";
import { LIMITS } from "./domain/limits.ts";
import { PageTokens } from "./domain/page-token.ts";
import { guardStorage } from "./domain/storage-guard.ts";
import { UserService } from "./gen/user_pb.ts";
import { createBulkHandlers } from "./handlers/bulk-handlers.ts";
import { createChatHandlers } from "./handlers/chat-handlers.ts";
import type { UserHandlers } from "./handlers/handler-types.ts";
import { createReadHandlers } from "./handlers/read-handlers.ts";
import { createWriteHandlers } from "./handlers/write-handlers.ts";
import type { Readiness } from "./readiness.ts";
import type { Storage } from "./storage/user-store.ts";

export interface UserServiceOptions {
  /** Stays the caller's: it is closed by whoever opened it, after the server. */
  readonly storage: Storage;
  /** Signs page tokens; the same in every replica. */
  readonly pageTokenKey: string | Uint8Array;
  /** The way between replicas; default: this process only. */
  readonly bus?: RoomBus;
  /** Who callers are; default: who they say they are. */
  readonly identity?: Identity;
  readonly chat?: Partial<ChatLimits>;
  /** Tools may ask what is served. Default: true. */
  readonly reflection?: boolean;
  /** Whether the storage answers; default: nobody looks, and it counts as ready. */
  readonly readiness?: Pick<Readiness, "watch">;
  /** When it fires, chat streams end with UNAVAILABLE, since a drain would wait for them in vain. */
  readonly draining?: AbortSignal;
}

/** The handlers alone, to add to a server of one's own, which says itself what a request may decode to (`LIMITS.requestValues`). */
export function createUserService(options: UserServiceOptions): UserHandlers {
  const { users, messages } = guardStorage(options.storage);
  const hub = new RoomHub(messages, users, options.bus ?? new LocalRoomBus());
  options.draining?.addEventListener("abort", () => hub.close(), { once: true });
  return {
    ...createReadHandlers(users, new PageTokens(options.pageTokenKey)),
    ...createWriteHandlers(users, (userId) => hub.onUserDeleted(userId)),
    ...createBulkHandlers(users),
    ...createChatHandlers(hub, options.identity ?? claimedIdentity, { ...DEFAULT_CHAT_LIMITS, ...options.chat }),
  };
}

/** Names of health that are no services. */
const LIVENESS = "liveness";
const READINESS = "readiness";

/**
 * A server with the UserService, its health and, unless it is turned off, reflection; not yet listening.
 *
 * `readiness` and `user.UserService` follow the storage: a replica that has lost it must get no calls. `""` and `liveness` do not:
 * a process that is restarted for it would not get its storage back, and all replicas would restart at once.
 */
export function createUsersServer(options: UserServiceOptions, serverOptions: ServerOptions = {}): Server {
  const server = new Server({ maxDecodedValues: LIMITS.requestValues, ...serverOptions });
  const status = health(server);
  server.add(UserService, createUserService(options));
  if (options.reflection !== false) reflection(server);
  status.set(LIVENESS, "SERVING");
  status.set(READINESS, "SERVING");
  options.readiness?.watch((isReady) => {
    for (const name of [READINESS, UserService.typeName]) status.set(name, isReady ? "SERVING" : "NOT_SERVING");
  });
  return server;
}
