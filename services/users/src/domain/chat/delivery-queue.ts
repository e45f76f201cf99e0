/**
 * What one chat stream has still to read, bounded in messages and bytes. Owns the waiting on both sides: the reader for
 * messages, a replay for a reader that has taken all it was given. Knows no room and no sequence.
 *
 * Invariant: never more than `maxMessages` messages and, save for one message that is larger, `maxBytes` bytes. Once
 * failed or closed it holds nothing.
 */

import type { StoredMessage } from "../../storage/user-store.ts";

export interface QueueLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What a queued message costs beside its content: ids, numbers and the object itself. */
const MESSAGE_OVERHEAD_BYTES = 128;

type Reader = { resolve(message: StoredMessage | undefined): void; reject(error: unknown): void };

export class DeliveryQueue {
  readonly #limits: QueueLimits;
  #messages: StoredMessage[] = [];
  #bytes = 0;
  #state: "open" | "ended" | "closed" = "open";
  #failure: { readonly error: unknown } | undefined;
  #reader: Reader | undefined;
  #emptyWaiters: (() => void)[] = [];

  constructor(limits: QueueLimits) {
    this.#limits = limits;
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

  /** All or, where they do not fit, none. What is offered to an empty queue fits. */
  offerAll(messages: readonly StoredMessage[]): boolean {
    if (this.#messages.length > 0 && !this.#hasRoomFor(messages)) return false;
    for (const message of messages) this.#push(message);
    return true;
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
      this.#bytes -= costOf(message);
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
    this.#bytes = 0;
    this.#takeReader()?.resolve(undefined);
    this.#wakeEmptyWaiters();
  }

  #push(message: StoredMessage): void {
    if (this.#state !== "open") return;
    const reader = this.#takeReader();
    if (reader !== undefined) {
      reader.resolve(message);
      return;
    }
    this.#messages.push(message);
    this.#bytes += costOf(message);
  }

  #hasRoomFor(messages: readonly StoredMessage[]): boolean {
    const bytes = messages.reduce((sum, message) => sum + costOf(message), this.#bytes);
    return this.#messages.length + messages.length <= this.#limits.maxMessages && bytes <= this.#limits.maxBytes;
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

function costOf(message: StoredMessage): number {
  return Buffer.byteLength(message.content) + MESSAGE_OVERHEAD_BYTES;
}
