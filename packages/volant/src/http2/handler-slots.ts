/**
 * Streams that are over while their handler still runs. Owns that count: such a stream keeps its place among the
 * concurrent ones until the layer above releases it. Without this a peer that opens and resets streams runs any number of
 * handlers at once (CVE-2023-44487).
 *
 * A handler that has not settled `abandonedHandlerMs` after its stream ended gives its place back, so that one that hangs
 * for ever does not use up the connection; at most `maxAbandonedHandlers` of them at a time.
 */
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Values of `stream.slot`: how often a check found the handler of an ended stream still running, or one of these. */
export const NO_SLOT = -1;
const JUST_HELD = 0;
const ABANDONED = -2;

/** An age is known to half of the limit only, because a command brings no time: seen thrice is at least the limit. */
const CHECKS = 3;

export class HandlerSlots {
  private readonly abandonAfterMs: number;
  private readonly maxAbandoned: number;
  private readonly ended = new StreamTable();
  checkAtMs: number = Number.POSITIVE_INFINITY;
  abandoned = 0;

  constructor(abandonAfterMs: number, maxAbandoned: number) {
    this.abandonAfterMs = abandonAfterMs;
    this.maxAbandoned = maxAbandoned;
  }

  /** Ended streams that still count towards MAX_CONCURRENT_STREAMS. */
  get size(): number {
    return this.ended.size;
  }

  hold(stream: Http2Stream): void {
    if (!stream.isClosed && stream.slot === NO_SLOT) stream.slot = JUST_HELD;
  }

  /** The handler settled. Without effect on a stream that holds nothing. */
  release(stream: Http2Stream): void {
    if (stream.slot === ABANDONED) this.abandoned--;
    else if (this.ended.delete(stream.id) && this.ended.size === 0) this.checkAtMs = Number.POSITIVE_INFINITY;
    stream.slot = NO_SLOT;
  }

  /** The stream is over and holds a slot. */
  streamEnded(stream: Http2Stream, nowMs: number): void {
    this.ended.add(stream);
    if (this.checkAtMs === Number.POSITIVE_INFINITY) this.checkAtMs = nowMs + this.abandonAfterMs / 2;
  }

  /** The result is how many handlers were given up now. */
  handleTimeout(nowMs: number): number {
    const before = this.abandoned;
    for (const stream of this.ended.values()) {
      stream.slot++;
      if (stream.slot < CHECKS || this.abandoned >= this.maxAbandoned) continue;
      stream.slot = ABANDONED;
      this.abandoned++;
      this.ended.delete(stream.id);
    }
    this.checkAtMs = this.size > 0 ? nowMs + this.abandonAfterMs / 2 : Number.POSITIVE_INFINITY;
    return this.abandoned - before;
  }
}
