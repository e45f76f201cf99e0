/**
 * DATA of one stream that waits for window or room, and the end that follows it. Owns order and count; knows no windows.
 * Buffers handed in belong to the queue from then on.
 *
 * A small chunk is copied behind the one before it: otherwise a stream with 64 KiB of tiny messages would be ten thousand
 * objects that weigh far more than their bytes. So is one that is less than half of the memory it keeps: a piece of Node's
 * pool, or what is left of a message whose start was sent. What a queue holds is at most twice what it has to send, save
 * for the chunk that is being sent.
 */

/** What ends a stream after its data: an empty or last DATA with END_STREAM, or trailers (an encoded-later field list). */
export type QueuedEnd<Trailers> =
  | { readonly kind: "data" }
  | { readonly kind: "trailers"; readonly trailers: Trailers };

const SMALL_BYTES = 4_096;
/** Buffers for copies grow from the first to the second as more follow. */
const LEAST_TAIL_BYTES = 256;
const MOST_TAIL_BYTES = 16_384;

export class OutboundQueue<Trailers> {
  private readonly chunks: Buffer[] = [];
  private head = 0;
  /** Octets of the first chunk that are already sent. */
  private sent = 0;
  /** Bytes in use of the last chunk, where it takes further small ones; 0: it does not. */
  private tailEnd = 0;
  bytes = 0;
  /** Memory of the chunks that are not sent to their end, with what was sent of them. */
  heldBytes = 0;
  end: QueuedEnd<Trailers> | undefined;

  push(chunk: Buffer): void {
    const { length } = chunk;
    if (length === 0) return;
    this.bytes += length;
    if (length <= SMALL_BYTES || chunk.buffer.byteLength > 2 * length) this.copy(chunk);
    else {
      this.closeTail();
      this.add(chunk);
    }
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.end === undefined;
  }

  /** Moves up to `max` octets to `target`, across chunks. The result is how many. */
  moveTo(target: Buffer, offset: number, max: number): number {
    let moved = 0;
    while (moved < max && this.head < this.chunks.length) {
      const chunk = this.chunks[this.head]!;
      const end = this.endOf(this.head);
      const take = Math.min(max - moved, end - this.sent);
      chunk.copy(target, offset + moved, this.sent, this.sent + take);
      moved += take;
      this.sent += take;
      if (this.sent === end) this.dropFirst();
    }
    this.bytes -= moved;
    return moved;
  }

  private copy(chunk: Buffer): void {
    const last = this.chunks[this.chunks.length - 1];
    if (last === undefined || this.tailEnd === 0 || last.length - this.tailEnd < chunk.length)
      this.addTail(chunk.length);
    const tail = this.chunks[this.chunks.length - 1]!;
    this.tailEnd += chunk.copy(tail, this.tailEnd);
  }

  /** The first is as small as its chunk: most streams that wait have one message, and it may be all there ever is. */
  private addTail(least: number): void {
    const before = this.tailEnd === 0 ? 0 : this.chunks[this.chunks.length - 1]!.length;
    this.closeTail();
    const size = before === 0 ? LEAST_TAIL_BYTES : Math.min(2 * before, MOST_TAIL_BYTES);
    this.add(Buffer.allocUnsafeSlow(Math.max(least, size)));
  }

  private add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.heldBytes += chunk.buffer.byteLength;
  }

  /** What follows goes into another chunk. */
  private closeTail(): void {
    if (this.tailEnd === 0) return;
    const at = this.chunks.length - 1;
    this.chunks[at] = this.chunks[at]!.subarray(0, this.tailEnd);
    this.tailEnd = 0;
  }

  private endOf(index: number): number {
    return this.tailEnd > 0 && index === this.chunks.length - 1 ? this.tailEnd : this.chunks[index]!.length;
  }

  private dropFirst(): void {
    this.heldBytes -= this.chunks[this.head]!.buffer.byteLength;
    this.sent = 0;
    this.head++;
    if (this.head === this.chunks.length) {
      this.chunks.length = 0;
      this.head = 0;
      this.tailEnd = 0;
    } else if (this.head >= 64) {
      this.chunks.splice(0, this.head);
      this.head = 0;
    }
  }
}
