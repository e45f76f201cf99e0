/**
 * One room as this process sees it: its members here and how far the log was delivered to them. Owns order: whatever
 * the bus brings, twice, late or not at all, each member gets every sequence after its place once, ascending. Knows no
 * stream and no limits.
 *
 * Invariants: `#delivered` only grows, by what came in sequence or was read from the log; a seat is live exactly when
 * its place is at or past `#delivered`; going live and comparing the two happen in one turn, so nothing fits between.
 */

import { type Requester, SERVICE } from "../../storage/requester.ts";
import type { MessageStore, ReadLimits, StoredMessage } from "../../storage/user-store.ts";
import { storageUnavailable } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const READ_LIMITS: ReadLimits = { messages: LIMITS.chatReadMessages, bytes: LIMITS.chatReadBytes };

/** Where a member's messages go. */
export interface RoomSink {
  /** A message said now. Must not wait. */
  deliver(message: StoredMessage): void;
  /** For whom the log is read. */
  readonly requester: Requester;
  /**
   * Calls `read` when the reader has taken what it was given, and gives the reader what that resolves with. Resolves with
   * what was taken over: nothing where the reader has left, or has so much else by then that the same must be read again.
   */
  replay(read: (limits: ReadLimits) => Promise<StoredMessage[]>): Promise<readonly StoredMessage[]>;
  /** The room cannot go on for this member. */
  fail(error: unknown): void;
}

/** One member's place in the room. */
export interface Seat {
  /** Resolves when what was missed has been handed over. Never rejects: a failed replay fails the sink. */
  readonly replayed: Promise<void>;
  leave(): void;
}

interface Place {
  readonly sink: RoomSink;
  position: bigint;
  isLive: boolean;
}

export class Room {
  readonly #id: string;
  readonly #log: MessageStore;
  readonly #places = new Set<Place>();
  #delivered: bigint;
  /** The highest sequence heard of; above `#delivered` while there is a gap. */
  #heard: bigint;
  #catchingUp: Promise<void> | undefined;

  /** `lastSequence`: where the log stood after the room began to listen to the bus. */
  constructor(id: string, log: MessageStore, lastSequence: bigint) {
    this.#id = id;
    this.#log = log;
    this.#delivered = lastSequence;
    this.#heard = lastSequence;
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** `resumeAfter` 0: from now on. A place beyond the log's end is taken as its end. */
  async join(sink: RoomSink, resumeAfter: bigint): Promise<Seat> {
    const place: Place = { sink, position: this.#delivered, isLive: resumeAfter === 0n };
    this.#places.add(place);
    let replayed = Promise.resolve();
    if (!place.isLive) {
      try {
        place.position = await this.#clampToLog(resumeAfter, sink.requester);
      } catch (error) {
        this.#places.delete(place);
        throw error;
      }
      replayed = this.#replay(place);
    }
    return { replayed, leave: () => this.#places.delete(place) };
  }

  /** News of a message, from the bus or from the one who appended it; in any order, any number of times. */
  receive(message: StoredMessage): void {
    if (message.sequence > this.#heard) this.#heard = message.sequence;
    if (message.sequence === this.#delivered + 1n) this.#deliver(message);
    if (this.#heard > this.#delivered) this.#catchingUp ??= this.#catchUp();
  }

  /** Resolves when everything heard of so far was delivered, or could not be. */
  async untilDelivered(): Promise<void> {
    await this.#catchingUp;
  }

  async #clampToLog(resumeAfter: bigint, requester: Requester): Promise<bigint> {
    if (resumeAfter <= this.#delivered) return resumeAfter;
    const last = await this.#log.lastSequence(this.#id, requester);
    return resumeAfter < last ? resumeAfter : last;
  }

  #deliver(message: StoredMessage): void {
    this.#delivered = message.sequence;
    for (const place of this.#places) {
      if (!place.isLive || message.sequence <= place.position) continue;
      place.position = message.sequence;
      place.sink.deliver(message);
    }
  }

  /** Reads the missing messages from the log. One reading at a time; those that arrive meanwhile in order just pass. */
  async #catchUp(): Promise<void> {
    try {
      while (this.#heard > this.#delivered) {
        for (const message of await this.#readAfter(this.#delivered, READ_LIMITS, SERVICE)) {
          if (message.sequence > this.#delivered) this.#deliver(message);
        }
      }
    } catch (error) {
      // What is missing stays missing here: the members must come back and resume where they stopped.
      this.#delivered = this.#heard;
      for (const { sink } of [...this.#places]) sink.fail(error);
    } finally {
      this.#catchingUp = undefined;
    }
  }

  async #replay(place: Place): Promise<void> {
    try {
      while (place.position < this.#delivered && this.#places.has(place)) {
        const { requester } = place.sink;
        const taken = await place.sink.replay((limits) => this.#readAfter(place.position, limits, requester));
        place.position = taken.at(-1)?.sequence ?? place.position;
      }
      place.isLive = true;
    } catch (error) {
      place.sink.fail(error);
    }
  }

  /** Only asked where something is known to follow: an empty answer means the log cannot be trusted now. */
  async #readAfter(sequence: bigint, limits: ReadLimits, requester: Requester): Promise<StoredMessage[]> {
    const messages = await this.#log.readAfter(this.#id, sequence, limits, requester);
    if (messages.length === 0) throw storageUnavailable();
    return messages;
  }
}
