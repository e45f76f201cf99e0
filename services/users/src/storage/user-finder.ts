/**
 * Finding single users, many at a time: what all connections ask in one turn of the loop becomes one query. Owns the
 * gathering; knows no SQL.
 *
 * It buys round trips, and it bounds them: while `MAX_QUERIES` are under way, ids wait here and go with the next query, by
 * turns of their requesters, so that one who asks for thousands delays the others by a query. An id that nobody waits for
 * any more when its turn comes is left out.
 */
import { FairLine } from "./fair-line.ts";
import type { Requester } from "./requester.ts";
import { createAbortError } from "./storage-error.ts";

/** Two would keep an engine nearby busy; four do where an answer takes a while to arrive. */
const MAX_QUERIES = 4;

interface Wanted<Found> {
  readonly id: string;
  readonly requester: Requester;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class UserFinder<Found extends { readonly id: string }> {
  readonly #query: (ids: readonly string[]) => Promise<Found[]>;
  readonly #maxIds: number;
  readonly #line = new FairLine<Wanted<Found>>();
  #queries = 0;
  #isScheduled = false;

  /** `maxIds`: how many ids one query may have, so that one answer stays small. */
  constructor(maxIds: number, query: (ids: readonly string[]) => Promise<Found[]>) {
    this.#maxIds = maxIds;
    this.#query = query;
  }

  find(id: string, requester: Requester): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.#line.push(requester, { id, requester, resolve, reject });
      this.#schedule();
    });
  }

  /** Not before the sockets of this turn were read. */
  #schedule(): void {
    if (this.#isScheduled || this.#queries >= MAX_QUERIES) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#queries < MAX_QUERIES) {
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      void this.#answer(batch);
    }
  }

  #nextBatch(): Wanted<Found>[] {
    const batch: Wanted<Found>[] = [];
    while (batch.length < this.#maxIds) {
      const wanted = this.#line.take();
      if (wanted === undefined) break;
      const { signal } = wanted.requester;
      if (signal?.aborted) wanted.reject(createAbortError(signal));
      else batch.push(wanted);
    }
    return batch;
  }

  async #answer(batch: readonly Wanted<Found>[]): Promise<void> {
    this.#queries++;
    try {
      const rows = await this.#query(batch.map(({ id }) => id));
      const found = new Map(rows.map((row) => [row.id, row]));
      for (const { id, resolve } of batch) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#queries--;
      this.#send();
    }
  }
}
