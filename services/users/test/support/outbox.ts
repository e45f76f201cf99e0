/** What one side of a stream sends, a message at a time: an async iterable that a test feeds, ends or breaks. */

export class Outbox<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Whether the reader let go before the end. */
  isAbandoned = false;

  send(...items: T[]): this {
    this.#items.push(...items);
    this.#wake?.();
    return this;
  }

  /** Half-close. */
  end(): this {
    this.#end ??= {};
    this.#wake?.();
    return this;
  }

  /** What a reset looks like to the reader. */
  fail(error: unknown): this {
    this.#end ??= { error };
    this.#wake?.();
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let isFinished = false;
    try {
      while (true) {
        const item = this.#items.shift();
        if (item !== undefined) yield item;
        else if (this.#end !== undefined) break;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      isFinished = true;
      if (this.#end !== undefined && "error" in this.#end) throw this.#end.error;
    } finally {
      this.isAbandoned = !isFinished;
    }
  }
}

/** The next `count` items; fails the test when the iteration ends before. */
export async function take<T>(iterator: AsyncIterator<T>, count: number): Promise<T[]> {
  const items: T[] = [];
  while (items.length < count) {
    const result = await iterator.next();
    if (result.done) throw new Error(`the stream ended after ${items.length} of ${count} messages`);
    items.push(result.value);
  }
  return items;
}

/** Everything until the end. */
export async function drain<T>(iterator: AsyncIterator<T>): Promise<T[]> {
  const items: T[] = [];
  for (let result = await iterator.next(); !result.done; result = await iterator.next()) items.push(result.value);
  return items;
}
