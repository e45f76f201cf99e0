/**
 * From an iterable to the wire, at the pace of the reader. Owns the loop: one message, room, the next. A generator is
 * resumed only when there is room, so nothing is made that nobody can take.
 */
import { nextTurn, TurnClock } from "./turn.ts";

export type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;

export interface PumpTarget {
  /** Sends one message. */
  send(message: unknown): void;
  /** A promise while there is no room. */
  whenWritable(): Promise<void> | undefined;
  /** True once nothing more is wanted. */
  readonly isDone: boolean;
}

export function isIterable(value: unknown): value is AnyIterable {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

export class Pump {
  private readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;
  private readonly target: PumpTarget;

  constructor(iterable: AnyIterable, target: PumpTarget) {
    this.iterator =
      Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
    this.target = target;
  }

  /** Resolves when the iterable is done or the target is; rejects with what the iterable throws. */
  async run(): Promise<void> {
    const { iterator, target } = this;
    const clock = new TurnClock();
    while (!target.isDone) {
      const next = iterator.next();
      const result = isThenable(next) ? await next : next;
      if (result.done || target.isDone) return;
      target.send(result.value);
      const room = target.whenWritable();
      if (room !== undefined) {
        await room;
        clock.restart();
      } else if (clock.isUsedUp()) {
        await nextTurn();
        clock.restart();
      }
    }
  }

  /** Tells a generator that nobody reads any more. Its own failure on the way out goes to `onError`. */
  cancel(onError: (error: unknown) => void): void {
    try {
      const returned: unknown = this.iterator.return?.();
      if (isThenable(returned)) returned.then(undefined, onError);
    } catch (error) {
      onError(error);
    }
  }
}

export function isThenable<T>(value: unknown): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
