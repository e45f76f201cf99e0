/**
 * The rooms that have members in this process. Owns which rooms are open, which streams there are, and who speaks on
 * them; hands order to `Room` and the way to other replicas to `RoomBus`.
 *
 * Invariant: a room is open (and listens to the bus) exactly while someone is in it or about to enter.
 */

import type { Requester } from "../../storage/requester.ts";
import { orAbort } from "../../storage/time-limit.ts";
import type { MessageStore, StoredMessage, UserStore } from "../../storage/user-store.ts";
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
  /** Fires when nobody wants the room any more. */
  readonly abandoned: AbortController;
  holders: number;
}

/** A seat that was taken, and by whom. */
interface Taken {
  readonly roomId: string;
  readonly room: Room;
  readonly seat: Seat;
  readonly requester: Requester;
}

export class RoomHub {
  readonly #log: MessageStore;
  readonly #users: Pick<UserStore, "isDeleted">;
  readonly #bus: RoomBus;
  readonly #rooms = new Map<string, RoomEntry>();
  readonly #participants = new Set<ChatParticipant>();
  readonly #unsubscribeDeletions: Unsubscribe;
  #isClosed = false;

  constructor(log: MessageStore, users: Pick<UserStore, "isDeleted">, bus: RoomBus) {
    this.#log = log;
    this.#users = users;
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

  /**
   * Throws PERMISSION_DENIED for the id of a user who was deleted, by whatever replica; ids that never were a user's may
   * talk. The participant has its sender before it asks: a deletion is then either in the storage, which is asked here, or
   * told of later, which ends the stream.
   */
  async admit(sender: string, requester: Requester): Promise<void> {
    if (await this.#users.isDeleted(sender, requester)) throw senderDeleted(sender);
  }

  async join(roomId: string, sink: RoomSink, resumeAfter: bigint): Promise<Membership> {
    const entry = this.#hold(roomId, sink.requester);
    try {
      // Who is cancelled meanwhile holds the room no longer, so that one that nobody waits for is not opened.
      const { room } = await orAbort(entry.opened, sink.requester.signal);
      const seat = await room.join(sink, resumeAfter);
      return this.#toMembership(entry, { roomId, room, seat, requester: sink.requester });
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

  #toMembership(entry: RoomEntry, { roomId, room, seat, requester }: Taken): Membership {
    let isMember = true;
    return {
      replayed: seat.replayed,
      say: async (senderId, content) => {
        const message = await this.#log.append(roomId, senderId, content, requester);
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

  #hold(roomId: string, { group, member }: Requester): RoomEntry {
    const entry = this.#rooms.get(roomId) ?? this.#createEntry(roomId, group, member);
    this.#rooms.set(roomId, entry);
    entry.holders++;
    return entry;
  }

  /** In the turn of whoever comes first, but for all who wait for it: it is given up when the last of them has left. */
  #createEntry(roomId: string, group: string, member: string): RoomEntry {
    const abandoned = new AbortController();
    const opened = this.#open(roomId, { group, member, signal: abandoned.signal });
    return { opened, abandoned, holders: 0 };
  }

  #release(roomId: string, entry: RoomEntry): void {
    if (--entry.holders > 0) return;
    this.#rooms.delete(roomId);
    entry.abandoned.abort();
    entry.opened.then(
      ({ unsubscribe }) => unsubscribe(),
      // A room that did not open has nothing to close; whoever waited for it has the error.
      () => undefined,
    );
  }

  /** Listens first and asks for the end of the log then, so that no message falls between. */
  async #open(roomId: string, requester: Requester): Promise<OpenRoom> {
    let room: Room | undefined;
    let early: StoredMessage | undefined;
    const unsubscribe = await this.#bus.subscribe(roomId, (message) => {
      if (room === undefined) early = message;
      else room.receive(message);
    });
    try {
      room = new Room(roomId, this.#log, await this.#log.lastSequence(roomId, requester));
      // The latest is enough: what was said before it is a gap, and the room reads gaps from the log.
      if (early !== undefined) room.receive(early);
      return { room, unsubscribe };
    } catch (error) {
      unsubscribe();
      throw error;
    }
  }
}
