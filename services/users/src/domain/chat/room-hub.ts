/**
 * The rooms that have members in this process. Owns which rooms are open, which streams there are, and who speaks on
 * them; hands order to `Room` and the way to other replicas to `RoomBus`.
 *
 * Invariant: a room is open (and listens to the bus) exactly while someone is in it or about to enter.
 */

import type { MessageStore, StoredMessage } from "../../storage/user-store.ts";
import { chatDraining, senderDeleted } from "../errors.ts";
import { Room, type RoomSink, type Seat } from "./room.ts";
import type { RoomBus, Unsubscribe } from "./room-bus.ts";

/** A chat stream, as the hub sees it. */
export interface ChatParticipant {
  /** Undefined until the stream's first message. */
  readonly sender: string | undefined;
  fail(error: unknown): void;
}

/** A member's hold on a room. */
export interface Membership {
  /** See `Seat.replayed`. */
  readonly replayed: Promise<void>;
  /** Appends to the log and tells everyone; resolves when the members here, the speaker too, have it. */
  say(senderId: string, content: string): Promise<void>;
  leave(): void;
}

interface OpenRoom {
  readonly room: Room;
  readonly unsubscribe: Unsubscribe;
}

interface RoomEntry {
  readonly opened: Promise<OpenRoom>;
  holders: number;
}

export class RoomHub {
  readonly #log: MessageStore;
  readonly #bus: RoomBus;
  readonly #rooms = new Map<string, RoomEntry>();
  readonly #participants = new Set<ChatParticipant>();
  readonly #unsubscribeDeletions: Unsubscribe;
  #isClosed = false;

  constructor(log: MessageStore, bus: RoomBus) {
    this.#log = log;
    this.#bus = bus;
    this.#unsubscribeDeletions = bus.onUserDeleted((userId) => this.#endStreamsOf(userId));
  }

  get openRooms(): number {
    return this.#rooms.size;
  }

  /** Throws UNAVAILABLE when the hub is closed. */
  enter(participant: ChatParticipant): void {
    if (this.#isClosed) throw chatDraining();
    this.#participants.add(participant);
  }

  exit(participant: ChatParticipant): void {
    this.#participants.delete(participant);
  }

  async join(roomId: string, sink: RoomSink, resumeAfter: bigint): Promise<Membership> {
    const entry = this.#hold(roomId);
    try {
      const { room } = await entry.opened;
      return this.#toMembership(roomId, entry, room, await room.join(sink, resumeAfter));
    } catch (error) {
      this.#release(roomId, entry);
      throw error;
    }
  }

  /** Ends the streams of a user who is gone, in every replica. */
  onUserDeleted(userId: string): void {
    this.#bus.publishUserDeleted(userId);
  }

  /** Ends every stream with UNAVAILABLE: they are to go on at another replica. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsubscribeDeletions();
    for (const participant of [...this.#participants]) participant.fail(chatDraining());
  }

  #endStreamsOf(userId: string): void {
    for (const participant of [...this.#participants]) {
      if (participant.sender === userId) participant.fail(senderDeleted(userId));
    }
  }

  #toMembership(roomId: string, entry: RoomEntry, room: Room, seat: Seat): Membership {
    let isMember = true;
    return {
      replayed: seat.replayed,
      say: async (senderId, content) => {
        const message = await this.#log.append(roomId, senderId, content);
        room.receive(message);
        this.#bus.publish(message);
        await room.untilDelivered();
      },
      leave: () => {
        if (!isMember) return;
        isMember = false;
        seat.leave();
        this.#release(roomId, entry);
      },
    };
  }

  #hold(roomId: string): RoomEntry {
    const entry = this.#rooms.get(roomId) ?? { opened: this.#open(roomId), holders: 0 };
    this.#rooms.set(roomId, entry);
    entry.holders++;
    return entry;
  }

  #release(roomId: string, entry: RoomEntry): void {
    if (--entry.holders > 0) return;
    this.#rooms.delete(roomId);
    entry.opened.then(
      ({ unsubscribe }) => unsubscribe(),
      // A room that did not open has nothing to close; whoever waited for it has the error.
      () => undefined,
    );
  }

  /** Listens first and asks for the end of the log then, so that no message falls between. */
  async #open(roomId: string): Promise<OpenRoom> {
    let room: Room | undefined;
    let early: StoredMessage | undefined;
    const unsubscribe = await this.#bus.subscribe(roomId, (message) => {
      if (room === undefined) early = message;
      else room.receive(message);
    });
    try {
      room = new Room(roomId, this.#log, await this.#log.lastSequence(roomId));
      // The latest is enough: what was said before it is a gap, and the room reads gaps from the log.
      if (early !== undefined) room.receive(early);
      return { room, unsubscribe };
    } catch (error) {
      unsubscribe();
      throw error;
    }
  }
}
