/**
 * Orphaned handlers by age. Owns their order. A list of entries that know their neighbours, and forget them when they leave:
 * of a Map whose entries come and go by the thousand, V8 keeps what has left (see `http2/stream-table.ts`).
 */
import type { RunningHandler } from "./running-handlers.ts";

export class Orphan {
  readonly handler: RunningHandler;
  /** When its call ended. */
  readonly endedMs: number;
  /** It has left the queue because of its age. */
  isAbandoned = false;
  older: Orphan | undefined = undefined;
  newer: Orphan | undefined = undefined;

  constructor(handler: RunningHandler, endedMs: number) {
    this.handler = handler;
    this.endedMs = endedMs;
  }
}

export class OrphanQueue {
  oldest: Orphan | undefined = undefined;
  private newest: Orphan | undefined = undefined;

  add(orphan: Orphan): void {
    orphan.older = this.newest;
    if (this.newest === undefined) this.oldest = orphan;
    else this.newest.newer = orphan;
    this.newest = orphan;
  }

  remove(orphan: Orphan): void {
    const { older, newer } = orphan;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    orphan.older = undefined;
    orphan.newer = undefined;
  }
}
