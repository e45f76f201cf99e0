/**
 * Which stream may send next: round robin over the streams that have data queued and window to send it. Owns membership
 * of that ring and nothing of the streams. A stream whose own window is shut leaves the ring until it opens.
 */
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

const MAX_STALE = 32;

export class Scheduler {
  private ring: Http2Stream[] = [];
  private head = 0;
  private readonly members = new StreamTable();

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  add(stream: Http2Stream): void {
    if (this.members.get(stream.id) !== undefined) return;
    this.members.add(stream);
    this.ring.push(stream);
  }

  remove(stream: Http2Stream): void {
    if (!this.members.delete(stream.id)) return;
    // While nobody can send, nobody takes: streams that are reset meanwhile must not pile up in the ring.
    if (this.ring.length - this.head > MAX_STALE + 2 * this.members.size) {
      this.ring = this.ring.slice(this.head).filter(({ id }) => this.members.get(id) !== undefined);
      this.head = 0;
    }
  }

  /** The next stream in turn, taken out of the ring; add it again if it still has something to send. */
  takeNext(): Http2Stream | undefined {
    while (this.head < this.ring.length) {
      const stream = this.ring[this.head++]!;
      if (this.head === this.ring.length) this.forgetTaken();
      else if (this.head > MAX_STALE && this.head * 2 > this.ring.length) this.forgetTaken();
      if (this.members.delete(stream.id)) return stream;
    }
    return undefined;
  }

  clear(): void {
    this.members.clear();
    this.ring = [];
    this.head = 0;
  }

  private forgetTaken(): void {
    if (this.head === this.ring.length) this.ring.length = 0;
    else this.ring = this.ring.slice(this.head);
    this.head = 0;
  }
}
