/**
 * Streams for whose reader something waits and who does not take it. Owns which streams are watched and when one has
 * stalled; resetting it is left to the caller. Without this a peer with a window of zero keeps handlers, and what they had
 * to say, in our memory for as long as it likes (CVE-2026-49975 holds its bomb that way).
 *
 * Watched is a stream from when something is queued for it, finished or not, until a look finds its queue empty. A writer
 * that waits for its reader has something queued. A chat that is silent has not, and is never judged.
 *
 * At each look a stream that waits must have taken 1 KiB since the last. What it took beyond is saved up, as far as
 * 32 KiB: readers tell of what they took in pieces, most of them a half of the window, which is 64 KiB to begin with. So one
 * that takes a KiB in each period is safe although we hear of it every half an hour. The window that a stream begins with is no
 * sign that anybody reads: a reader that has never told of anything is gone at the second look, and so is one that tells of
 * a byte now and then.
 *
 * Who is to blame: a stream whose own window is shut, by what that stream took. One that waits for the connection's window
 * is judged by what the whole connection took, since others may have taken it all: where that is nothing, all that wait are
 * stalled. One that waits for the socket, or for its turn, is not judged: `writeStallTimeoutMs` is for peers that do not read.
 */
import type { SendWindow } from "./flow-window.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Less than this in a period is a stall. Any link that carries a call carries more. */
const MIN_PROGRESS_BYTES = 1_024;
/** Of what was taken beyond, so much counts for the periods that follow. */
const MAX_SAVED_BYTES = 32_768;

/** What is remembered of a watched stream. */
export interface StallRecord {
  /** Octets it had sent at the last look; -1 before the first. */
  sent: number;
  saved: number;
}

export class StallWatch {
  private readonly timeoutMs: number;
  private readonly connectionWindow: SendWindow;
  private readonly watched = new StreamTable();
  /** What the whole connection had sent at the last look. */
  private connectionSent = 0;
  checkAtMs: number = Number.POSITIVE_INFINITY;

  /** Infinity: nothing is watched. */
  constructor(timeoutMs: number, connectionWindow: SendWindow) {
    this.timeoutMs = timeoutMs;
    this.connectionWindow = connectionWindow;
  }

  /** Something is queued for it. */
  watch(stream: Http2Stream, nowMs: number): void {
    if (stream.stall !== undefined || this.timeoutMs === Number.POSITIVE_INFINITY) return;
    stream.stall = { sent: -1, saved: 0 };
    this.watched.add(stream);
    if (this.checkAtMs === Number.POSITIVE_INFINITY) this.checkAtMs = nowMs + this.timeoutMs;
  }

  /** The stream is over, or nothing waits for its reader. */
  forget(stream: Http2Stream): void {
    stream.stall = undefined;
    if (this.watched.delete(stream.id) && this.watched.size === 0) this.checkAtMs = Number.POSITIVE_INFINITY;
  }

  /**
   * The streams that have stalled, which are watched no more. They have waited for one period at least, for two at most: a
   * command brings no time, so the first look of a stream only marks where it is.
   */
  takeStalled(nowMs: number): Http2Stream[] {
    const connectionSent = this.connectionWindow.sent;
    const moved = connectionSent - this.connectionSent;
    this.connectionSent = connectionSent;
    this.checkAtMs = nowMs + this.timeoutMs;
    const stalled: Http2Stream[] = [];
    for (const stream of this.watched.values()) {
      if (stream.outbound === undefined) this.forget(stream);
      else if (this.hasStalled(stream, moved)) stalled.push(stream);
    }
    for (const stream of stalled) this.forget(stream);
    return stalled;
  }

  private hasStalled(stream: Http2Stream, connectionMoved: number): boolean {
    const record = stream.stall!;
    const { available, sent } = stream.sendWindow;
    const before = record.sent;
    record.sent = sent;
    if (before < 0) {
      record.saved = Math.max(0, Math.min(stream.sendWindow.credited, MAX_SAVED_BYTES));
      return false;
    }
    const isBehind = available <= 0;
    if (!isBehind && this.connectionWindow.available > 0) return false;
    const taken = record.saved + (isBehind ? sent - before : connectionMoved);
    record.saved = Math.min(taken - MIN_PROGRESS_BYTES, MAX_SAVED_BYTES);
    return record.saved < 0;
  }
}
