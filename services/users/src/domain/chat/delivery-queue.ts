/**
 * What one chat stream has still to read, bounded in messages and bytes, and by what all queues may hold (see
 * `queue-budget.ts`). Owns the waiting on both sides: the reader for messages, a replay for a reader that has taken all it
 * was given. Knows no room and no sequence.
 *
 * Invariant: never more than `maxMessages` messages and, save for one message that is larger, `maxBytes` bytes; the budget
 * has granted each of these bytes. Once failed or closed it holds nothing.
 */

import type { StoredMessage } from "../../storage/user-store.ts";
import type { Holder, QueueBudget } from "./queue-budget.ts";

export interface QueueLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What a queued message costs beside its texts: numbers and the object itself. */
const MESSAGE_OVERHEAD_BYTES = 128;

type Reader = { resolve(message: StoredMessage | undefined): void; reject(error: unknown): void };

export class DeliveryQueue {
  readonly #limits: QueueLimits;
  readonly #budget: QueueBudget;
  readonly #holder: Holder;
  #messages: StoredMessage[] = [];
  #bytes = 0;
  #state: "open" | "ended" | "closed" = "open";
  #failure: { readonly error: unknown } | undefined;
  #reader: Reader | undefined;
  #emptyWaiters: (() => void)[] = [];

  constructor(limits: QueueLimits, budget: QueueBudget, holder: Holder) {
    this.#limits = limits;
    this.#budget = budget;
    this.#holder = holder;
  }

  get messages(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when there is no room: the reader is too slow. Messages for a finished queue are dropped. */
  offer(message: StoredMessage): boolean {
    return this.offerAll([message]);
  }

  /** All or, where they do not fit, none. What is offered to an empty queue fits unless the budget says no. */
  offerAll(messages: readonly StoredMessage[]): boolean {
    if (this.#state !== "open") return true;
    if (!this.hasRoomFor(messages)) return false;
    const direct = this.#reader === undefined ? 0 : 1;
    const bytes = costOf(messages, direct);
    if (bytes > 0 && !this.#budget.take(this.#holder, bytes)) return false;
    this.#bytes += bytes;
    for (let at = direct; at < messages.length; at++) this.#messages.push(messages[at]!);
    if (messages.length > 0) this.#takeReader()?.resolve(messages[0]);
    return true;
  }

  /** As far as this queue alone is concerned. */
  hasRoomFor(messages: readonly StoredMessage[]): boolean {
    if (this.#messages.length === 0) return true;
    const { maxMessages, maxBytes } = this.#limits;
    return this.#messages.length + messages.length <= maxMessages && this.#bytes + costOf(messages, 0) <= maxBytes;
  }

  /** Resolves when the reader has taken everything, or nobody reads any more. */
  async untilEmpty(): Promise<void> {
    while (this.#state === "open" && this.#messages.length > 0) {
      await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve));
    }
  }

  /** The next message, or undefined at the end; rejects once with what `fail` was given. One reader at a time. */
  take(): Promise<StoredMessage | undefined> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#letGo(costOf([message], 0));
      if (this.#messages.length === 0) this.#wakeEmptyWaiters();
      return Promise.resolve(message);
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#state !== "open") return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** No more messages will come; what is queued can still be taken. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#takeReader()?.resolve(undefined);
    this.#wakeEmptyWaiters();
  }

  /** Drops what is queued; the reader gets the error. */
  fail(error: unknown): void {
    if (this.#state === "closed") return;
    const reader = this.#takeReader();
    this.close();
    if (reader !== undefined) reader.reject(error);
    else this.#failure = { error };
  }

  /** Drops what is queued; the reader gets the end. */
  close(): void {
    this.#state = "closed";
    this.#messages = [];
    this.#letGo(this.#bytes);
    this.#takeReader()?.resolve(undefined);
    this.#wakeEmptyWaiters();
  }

  #letGo(bytes: number): void {
    this.#bytes -= bytes;
    this.#budget.give(this.#holder, bytes);
  }

  #takeReader(): Reader | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }

  #wakeEmptyWaiters(): void {
    for (const wake of this.#emptyWaiters.splice(0)) wake();
  }
}

/** Of those from `start` on. */
function costOf(messages: readonly StoredMessage[], start: number): number {
  let bytes = 0;
  for (let at = start; at < messages.length; at++) {
    const { content, roomId, senderId } = messages[at]!;
    bytes += Buffer.byteLength(content) + roomId.length + senderId.length + MESSAGE_OVERHEAD_BYTES;
  }
  return bytes;
}
