/**
 * One UserChat stream: reads what the caller sends, enters rooms, speaks, and gives what the caller is to read. An async
 * iterable of messages of the log; whoever iterates it sets the pace. Owns the sender's name, the memberships and the
 * limits of the stream; knows neither gRPC nor the order within a room.
 *
 * Invariants: the sender never changes once known; after the end, however it came, no membership is left and nothing is
 * queued. Messages are handled one after the other, so a half-close is seen after all that was sent before it.
 */

import type { ChatMessage } from "../../gen/user_pb.ts";
import type { Requester } from "../../storage/requester.ts";
import { isStorableText } from "../../storage/storable.ts";
import type { ReadLimits, StoredMessage } from "../../storage/user-store.ts";
import {
  invalidArgument,
  roomForbidden,
  roomIdRequired,
  slowReader,
  slowReaders,
  tooManyRooms,
  tooManyRoomsOfClient,
} from "../errors.ts";
import type { Caller } from "../identity.ts";
import { LIMITS } from "../limits.ts";
import { hasControlCharacters, isLongerThan } from "../text.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import type { QueueBudget } from "./queue-budget.ts";
import type { RoomSink } from "./room.ts";
import type { ChatParticipant, Membership, RoomHub } from "./room-hub.ts";

export interface ChatLimits {
  /** Rooms one stream may be in. */
  readonly maxRooms: number;
  /** Bytes of UTF-8 of one message's content. */
  readonly maxContentBytes: number;
  /** Messages that may wait for a slow reader; with one more the stream is cut. */
  readonly maxQueuedMessages: number;
  /** Bytes that may wait for a slow reader. */
  readonly maxQueuedBytes: number;
  /** Bytes that all streams may hold, messages for their readers and a KiB a room; see `queue-budget.ts` for a client's share. */
  readonly maxTotalQueuedBytes: number;
}

export const DEFAULT_CHAT_LIMITS: ChatLimits = {
  maxRooms: 100,
  maxContentBytes: 16 * 1024,
  maxQueuedMessages: 1000,
  maxQueuedBytes: 1024 * 1024,
  maxTotalQueuedBytes: 64 * 1024 * 1024,
};

/** What a room costs that one stream is in: a client may be in ten thousand with the streams of one connection. */
const ROOM_BYTES = 1024;

/** What bounds a stream, by itself and among all. */
export interface ChatBounds {
  readonly limits: ChatLimits;
  readonly budget: QueueBudget;
}

/** Who is at the other end. */
export interface ChatCaller {
  readonly caller: Caller;
  /** For whom the storage is asked. */
  readonly requester: Requester;
}

export class ChatSession implements ChatParticipant, RoomSink, AsyncIterable<StoredMessage> {
  readonly requester: Requester;
  readonly #hub: RoomHub;
  readonly #caller: Caller;
  readonly #limits: ChatLimits;
  readonly #budget: QueueBudget;
  readonly #queue: DeliveryQueue;
  readonly #memberships = new Map<string, Membership>();
  readonly #onCut: ((error: unknown) => void) | undefined;
  #readLimits: ReadLimits;
  #sender: string | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;

  /** `onCut` gets a failure at once, instead of whoever iterates: a reader that is stuck iterates no more. */
  constructor(
    hub: RoomHub,
    { caller, requester }: ChatCaller,
    { limits, budget }: ChatBounds,
    onCut?: (error: unknown) => void,
  ) {
    this.#hub = hub;
    this.requester = requester;
    this.#onCut = onCut;
    this.#caller = caller;
    this.#limits = limits;
    this.#budget = budget;
    const queueLimits = { maxMessages: limits.maxQueuedMessages, maxBytes: limits.maxQueuedBytes };
    this.#queue = new DeliveryQueue(queueLimits, budget, requester);
    this.#readLimits = this.#bounded(LIMITS.chatFirstReadMessages, LIMITS.chatFirstReadBytes);
  }

  get sender(): string | undefined {
    return this.#sender;
  }

  /** Starts to read the caller. Throws UNAVAILABLE while the server drains; later faults come out of the iteration. */
  start(messages: AsyncIterable<ChatMessage>): void {
    this.#hub.enter(this);
    this.#listen(messages).then(
      () => this.#queue.end(),
      (error: unknown) => this.fail(error),
    );
  }

  [Symbol.asyncIterator](): AsyncIterator<StoredMessage> {
    return {
      next: async () => {
        const value = await this.#queue.take();
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  deliver(message: StoredMessage): void {
    if (this.#queue.offer(message)) return;
    const isAlone = !this.#queue.hasRoomFor([message]);
    this.fail(isAlone ? slowReader(this.#queue.messages, this.#queue.bytes) : slowReaders());
  }

  /** One room at a time: many rooms must not hold a batch each for one slow reader. */
  replay(read: (limits: ReadLimits) => Promise<StoredMessage[]>): Promise<readonly StoredMessage[]> {
    return this.#inTurn(async () => {
      await this.#queue.untilEmpty();
      if (this.#isOver) return [];
      const messages = await read(this.#readLimits);
      // What was said meanwhile in other rooms may have filled the queue. What was read is then no part of this stream yet.
      if (!this.#queue.offerAll(messages)) {
        if (this.#queue.messages === 0) throw slowReaders();
        return [];
      }
      this.#readLimits = this.#bounded(this.#readLimits.messages * 2, this.#readLimits.bytes * 2);
      return messages;
    });
  }

  /** Ends the stream with the error; what was queued is dropped. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#leaveAll();
    if (this.#onCut === undefined) this.#queue.fail(error);
    else {
      this.#queue.close();
      this.#onCut(error);
    }
  }

  /** Ends the stream: nobody reads it any more. */
  close(): void {
    this.#leaveAll();
    this.#queue.close();
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    // The next in turn goes on after a failure; the failure itself is for whoever asked for this step.
    this.#turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  #bounded(messages: number, bytes: number): ReadLimits {
    return {
      messages: Math.min(messages, LIMITS.chatReadMessages, this.#limits.maxQueuedMessages),
      bytes: Math.min(bytes, LIMITS.chatReadBytes, this.#limits.maxQueuedBytes),
    };
  }

  async #listen(messages: AsyncIterable<ChatMessage>): Promise<void> {
    for await (const message of messages) {
      if (this.#isOver) return;
      await this.#handle(message);
      if (this.#isOver) return;
    }
    await Promise.all(Array.from(this.#memberships.values(), (membership) => membership.replayed));
    this.#leaveAll();
  }

  async #handle(message: ChatMessage): Promise<void> {
    this.#sender ??= this.#nameSender(message.userId);
    this.#checkMessage(message);
    const { roomId, resumeAfter, content } = message;
    const membership = this.#memberships.get(roomId) ?? (await this.#join(this.#sender, roomId, resumeAfter));
    if (content !== "" && !this.#isOver) await membership.say(this.#sender, content);
  }

  async #join(sender: string, roomId: string, resumeAfter: bigint): Promise<Membership> {
    if (!this.#caller.mayEnter(roomId)) throw roomForbidden(roomId);
    if (this.#memberships.size >= this.#limits.maxRooms) throw tooManyRooms(this.#limits.maxRooms);
    if (!this.#budget.take(this.requester, ROOM_BYTES)) throw tooManyRoomsOfClient();
    let membership: Membership | undefined;
    try {
      await this.#hub.admit(sender, this.requester);
      membership = await this.#hub.join(roomId, this, resumeAfter);
    } finally {
      if (membership === undefined || this.#isOver) this.#budget.give(this.requester, ROOM_BYTES);
    }
    if (this.#isOver) membership.leave();
    else this.#memberships.set(roomId, membership);
    return membership;
  }

  #nameSender(claimed: string): string {
    if (isLongerThan(claimed, LIMITS.userIdChars) || hasControlCharacters(claimed)) {
      const description = `must have at most ${LIMITS.userIdChars} characters and no control characters`;
      throw invalidArgument(`user_id ${description}`, { user_id: description });
    }
    return this.#caller.senderName(claimed);
  }

  #checkMessage({ roomId, content }: ChatMessage): void {
    if (roomId === "") throw roomIdRequired();
    if (isLongerThan(roomId, LIMITS.roomIdChars) || hasControlCharacters(roomId)) {
      const description = `must have at most ${LIMITS.roomIdChars} characters and no control characters`;
      throw invalidArgument(`room_id ${description}`, { room_id: description });
    }
    if (Buffer.byteLength(content) > this.#limits.maxContentBytes || !isStorableText(content)) {
      const description = `must have at most ${this.#limits.maxContentBytes} bytes and no U+0000`;
      throw invalidArgument(`content ${description}`, { content: description });
    }
  }

  #leaveAll(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hub.exit(this);
    for (const membership of this.#memberships.values()) membership.leave();
    this.#budget.give(this.requester, this.#memberships.size * ROOM_BYTES);
    this.#memberships.clear();
  }
}
