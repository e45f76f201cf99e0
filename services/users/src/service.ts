/**
 * The UserService as a server, without a process around it: what main, tests and benches share. Owns the wiring of
 * handlers to storage, chat and page tokens; knows neither the environment nor signals, and opens nothing itself.
 */

import { Server, type ServerOptions } from "volant";
import { type ChatLimits, DEFAULT_CHAT_LIMITS } from "./domain/chat/chat-session.ts";
import { LocalRoomBus, type RoomBus } from "./domain/chat/room-bus.ts";
import { RoomHub } from "./domain/chat/room-hub.ts";
import { claimedIdentity, type Identity } from "./domain/identity.ts";
import { PageTokens } from "./domain/page-token.ts";
import { guardStorage } from "./domain/storage-guard.ts";
import { UserService } from "./gen/user_pb.ts";
import { createBulkHandlers } from "./handlers/bulk-handlers.ts";
import { createChatHandlers } from "./handlers/chat-handlers.ts";
import type { UserHandlers } from "./handlers/handler-types.ts";
import { createReadHandlers } from "./handlers/read-handlers.ts";
import { createWriteHandlers } from "./handlers/write-handlers.ts";
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
  /** When it fires, chat streams end with UNAVAILABLE, since a drain would wait for them in vain. */
  readonly draining?: AbortSignal;
}

/** The handlers alone, to add to a server of one's own. */
export function createUserService(options: UserServiceOptions): UserHandlers {
  const { users, messages } = guardStorage(options.storage);
  const hub = new RoomHub(messages, options.bus ?? new LocalRoomBus());
  options.draining?.addEventListener("abort", () => hub.close(), { once: true });
  return {
    ...createReadHandlers(users, new PageTokens(options.pageTokenKey)),
    ...createWriteHandlers(users, (userId) => hub.onUserDeleted(userId)),
    ...createBulkHandlers(users),
    ...createChatHandlers(hub, options.identity ?? claimedIdentity, { ...DEFAULT_CHAT_LIMITS, ...options.chat }),
  };
}

/** A server with the UserService, not yet listening. */
export function createUsersServer(options: UserServiceOptions, serverOptions: ServerOptions = {}): Server {
  const server = new Server(serverOptions);
  server.add(UserService, createUserService(options));
  return server;
}
