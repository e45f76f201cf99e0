/**
 * Who is next among those that wait, so that all get the same time however much each of their pieces takes: the one that
 * has had least. (Start-time fair queueing; with pieces of the same size it is round-robin.) Owns what each has had and who
 * waits; knows no clock and nothing of the work.
 *
 * What counts is the difference to the others: whoever has been away starts level with the one that is served next, so that
 * idle time is not saved up; and once nobody waits all are level, so that nothing is held against anybody.
 *
 * Those that wait are looked through one by one. That is 5 µs for a thousand, and a piece is rarely shorter than 100 µs.
 */

export class FairShare {
  /** Time had, in ms on the scale of the queue. */
  usedMs = 0;
  /** Among equals those that came first go first. */
  order = 0;
  /** Where it waits; -1: it does not. */
  at = -1;

  get isWaiting(): boolean {
    return this.at >= 0;
  }
}

export class FairQueue<Share extends FairShare> {
  private readonly waiting: Share[] = [];
  private arrivals = 0;
  /** What the one that was served last had had: nobody counts as having had less. */
  private floorMs = 0;
  private highestMs = 0;

  get size(): number {
    return this.waiting.length;
  }

  /** It waits, behind all that have had as much. */
  add(share: Share): void {
    if (share.at >= 0) return;
    share.usedMs = Math.max(share.usedMs, this.floorMs);
    share.order = ++this.arrivals;
    share.at = this.waiting.push(share) - 1;
  }

  remove(share: Share): void {
    if (share.at < 0) return;
    const last = this.waiting.pop()!;
    if (last !== share) {
      this.waiting[share.at] = last;
      last.at = share.at;
    }
    share.at = -1;
  }

  /** The one that has had least; it goes on waiting. */
  next(): Share | undefined {
    let least = this.waiting[0];
    for (const share of this.waiting) {
      if (share.usedMs < least!.usedMs || (share.usedMs === least!.usedMs && share.order < least!.order)) least = share;
    }
    if (least !== undefined) this.floorMs = Math.max(this.floorMs, least.usedMs);
    return least;
  }

  /** It has had that much more. */
  charge(share: Share, ms: number): void {
    share.usedMs = Math.max(share.usedMs, this.floorMs) + ms;
    this.highestMs = Math.max(this.highestMs, share.usedMs);
    // Among equals it is behind the others now.
    if (share.at >= 0) share.order = ++this.arrivals;
  }

  /** What it has had beyond the one that has had least. */
  leadOf(share: Share): number {
    return Math.max(0, share.usedMs - this.floorMs);
  }

  /** To be called once nobody waits: all are level again. */
  level(): void {
    this.floorMs = this.highestMs;
  }
}
