/**
 * What chat rooms need from the way between replicas: news of messages and of deleted users. Delivery is best effort and
 * in any order: the log of the storage is the truth, and a room that misses a sequence reads it there. Knows no room
 * membership. `LocalRoomBus` serves the hubs of one process; a bus between processes implements the same interface.
 */

import type { StoredMessage } from "../../storage/user-store.ts";

export type Unsubscribe = () => void;

export interface RoomBus {
  /** Resolves when the room's messages published from now on reach the listener. */
  subscribe(roomId: string, listener: (message: StoredMessage) => void): Promise<Unsubscribe>;
  /** Tells every subscriber of the message's room, the publisher included. The message is in the log already. */
  publish(message: StoredMessage): void;
  onUserDeleted(listener: (userId: string) => void): Unsubscribe;
  publishUserDeleted(userId: string): void;
}

export class LocalRoomBus implements RoomBus {
  readonly #rooms = new Map<string, Set<(message: StoredMessage) => void>>();
  readonly #deletions = new Set<(userId: string) => void>();

  async subscribe(roomId: string, listener: (message: StoredMessage) => void): Promise<Unsubscribe> {
    const listeners = this.#rooms.get(roomId) ?? new Set();
    this.#rooms.set(roomId, listeners.add(listener));
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) this.#rooms.delete(roomId);
    };
  }

  publish(message: StoredMessage): void {
    for (const listener of this.#rooms.get(message.roomId) ?? []) listener(message);
  }

  onUserDeleted(listener: (userId: string) => void): Unsubscribe {
    this.#deletions.add(listener);
    return () => this.#deletions.delete(listener);
  }

  publishUserDeleted(userId: string): void {
    for (const listener of this.#deletions) listener(userId);
  }
}
