/**
 * Streams whose peer asked for an answer and does not take it. Owns which streams are watched and when one has stalled;
 * resetting it is left to the caller. Without this a peer with a window of zero keeps every finished answer in our memory
 * for as long as it likes (CVE-2026-49975 holds its bomb that way).
 *
 * Watched is a stream whose end is queued behind data: nothing but the peer can be the reason that it does not move. One
 * that is still being written is bounded by its queue and watched by keepalive. A drip of an octet now and then is no
 * progress.
 */
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Less than this in a whole period is a stall. Any link that carries a call carries more. */
const MIN_PROGRESS_BYTES = 1_024;

/** Values of `stream.stallMark` besides the octets that were queued at the last check. */
export const NOT_WATCHED = -1;
const NOT_CHECKED = 0;

export class StallWatch {
  private readonly timeoutMs: number;
  private readonly watched = new StreamTable();
  checkAtMs: number = Number.POSITIVE_INFINITY;

  /** Infinity: nothing is watched. */
  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  watch(stream: Http2Stream, nowMs: number): void {
    if (this.timeoutMs === Number.POSITIVE_INFINITY || stream.stallMark !== NOT_WATCHED) return;
    stream.stallMark = NOT_CHECKED;
    this.watched.add(stream);
    if (this.checkAtMs === Number.POSITIVE_INFINITY) this.checkAtMs = nowMs + this.timeoutMs;
  }

  /** Its queue is empty, or the stream is over. */
  forget(stream: Http2Stream): void {
    stream.stallMark = NOT_WATCHED;
    if (this.watched.delete(stream.id) && this.watched.size === 0) this.checkAtMs = Number.POSITIVE_INFINITY;
  }

  /** The streams that have not moved for a period, at most two: a command brings no time, so the first check only marks. */
  takeStalled(nowMs: number): Http2Stream[] {
    const stalled: Http2Stream[] = [];
    for (const stream of this.watched.values()) {
      const queued = stream.queuedBytes;
      if (stream.stallMark !== NOT_CHECKED && stream.stallMark - queued < MIN_PROGRESS_BYTES) stalled.push(stream);
      stream.stallMark = queued;
    }
    this.checkAtMs = nowMs + this.timeoutMs;
    for (const stream of stalled) this.forget(stream);
    return stalled;
  }
}
