/**
 * DATA of one stream that waits for window or room, and the end that follows it. Owns order and count; knows no windows.
 * Buffers handed in belong to the queue from then on.
 */

/** What ends a stream after its data: an empty or last DATA with END_STREAM, or trailers (an encoded-later field list). */
export type QueuedEnd<Trailers> =
  | { readonly kind: "data" }
  | { readonly kind: "trailers"; readonly trailers: Trailers };

export class OutboundQueue<Trailers> {
  private readonly chunks: Buffer[] = [];
  private head = 0;
  /** Octets of the first chunk that are already sent. */
  private sent = 0;
  bytes = 0;
  end: QueuedEnd<Trailers> | undefined;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.end === undefined;
  }

  /** Moves up to `max` octets to `target`, across chunks. The result is how many. */
  moveTo(target: Buffer, offset: number, max: number): number {
    let moved = 0;
    while (moved < max && this.head < this.chunks.length) {
      const chunk = this.chunks[this.head]!;
      const take = Math.min(max - moved, chunk.length - this.sent);
      chunk.copy(target, offset + moved, this.sent, this.sent + take);
      moved += take;
      this.sent += take;
      if (this.sent === chunk.length) this.dropFirst();
    }
    this.bytes -= moved;
    return moved;
  }

  private dropFirst(): void {
    this.sent = 0;
    this.head++;
    if (this.head === this.chunks.length) {
      this.chunks.length = 0;
      this.head = 0;
    } else if (this.head >= 64) {
      this.chunks.splice(0, this.head);
      this.head = 0;
    }
  }
}
