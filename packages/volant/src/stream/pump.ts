/**
 * From an iterable to the wire, at the pace of the reader. Owns the loop: one message, room, the next. A generator is
 * resumed only when there is room, so nothing is made that nobody can take: while the reader's window is shut one message
 * waits, encoded, and the next is not asked for.
 *
 * Invariant: an iterator that is not at its end when the loop is over has had `return()` called, once.
 */
import { nextTurn, TurnClock } from "./turn.ts";

export type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;

export interface PumpTarget {
  /** Sends one message. */
  send(message: unknown): void;
  /** A promise while there is no room. */
  whenWritable(): Promise<void> | undefined;
  /** True once nothing more is wanted. Whoever makes it true calls {@link Pump.cancel}. */
  readonly isDone: boolean;
}

type Step = IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;

export function isIterable(value: unknown): value is AnyIterable {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

export class Pump {
  private readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;
  private readonly target: PumpTarget;
  /** Inside `next()`: a generator that runs cannot be told to return. */
  private isStepping = false;
  /** The iterator said that it has ended, or failed. */
  private isOver = false;
  /** Set once cancelled: where failures of the way out go. */
  private onLateError: ((error: unknown) => void) | undefined = undefined;
  private leaving: PromiseLike<unknown> | undefined = undefined;

  constructor(iterable: AnyIterable, target: PumpTarget) {
    this.iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
    this.target = target;
  }

  /**
   * Resolves when the iterable is done; or when the target is, and a generator that was told to return has done so.
   * Rejects with what the iterable or the target throws.
   */
  async run(): Promise<void> {
    const { target } = this;
    const clock = new TurnClock();
    while (!target.isDone) {
      let step: Step | undefined = this.step();
      let result: IteratorResult<unknown> | undefined;
      try {
        result = isThenable(step) ? await step : step;
      } catch (error) {
        this.isOver = true;
        throw error;
      }
      if (result.done) this.isOver = true;
      if (result.done || target.isDone) break;
      target.send(result.value);
      // Whoever waits for room must not keep the message: its encoding is what waits.
      result = undefined;
      step = undefined;
      const room = target.whenWritable();
      if (room !== undefined) await room;
      else if (clock.isUsedUp()) await nextTurn();
      else continue;
      clock.restart();
    }
    await this.leaving;
  }

  /** Tells a generator that nobody reads any more. Its own failure on the way out goes to `onError`. */
  cancel(onError: (error: unknown) => void): void {
    if (this.onLateError !== undefined) return;
    this.onLateError = onError;
    if (!this.isStepping) this.leave();
  }

  private step(): Step {
    this.isStepping = true;
    try {
      return this.iterator.next();
    } catch (error) {
      this.isOver = true;
      throw error;
    } finally {
      this.isStepping = false;
      if (this.onLateError !== undefined) this.leave();
    }
  }

  private leave(): void {
    if (this.isOver) return;
    this.isOver = true;
    const onError = this.onLateError!;
    try {
      const returned: unknown = this.iterator.return?.();
      if (isThenable(returned)) this.leaving = returned.then(undefined, onError);
    } catch (error) {
      onError(error);
    }
  }
}

export function isThenable<T>(value: unknown): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
