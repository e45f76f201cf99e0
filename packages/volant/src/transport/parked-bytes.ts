/**
 * Bytes of one connection that wait for its turn. Owns their memory, which comes from the pool of buffers: a copy, because a
 * read has its buffer for as long as the call only. One buffer and no list of chunks: TLS hands on a record of one byte as a chunk.
 */
import { acquireBuffer, releaseBuffer } from "../http2/index.ts";

/** The buffers of all connections of this thread, whatever of them is in use. */
let total = 0;
/** What is shorter has memory of its own: the smallest buffer of the pool is 16 KiB, and ten thousand connections may wait with a byte each. */
const LEAST_POOLED_BYTES = 2_048;

export class ParkedBytes {
  private buffer: Buffer | undefined = undefined;
  private start = 0;
  private end = 0;
  /** Somebody reads the buffer: it must not be given away. */
  private isLent = false;

  static get totalMemory(): number {
    return total;
  }

  get length(): number {
    return this.end - this.start;
  }

  add(bytes: Buffer): void {
    this.makeRoom(bytes.length);
    this.end += bytes.copy(this.buffer!, this.end);
  }

  /** Calls `read` with the first bytes, at most so many, which are gone afterwards. */
  take(max: number, read: (bytes: Buffer) => void): void {
    const from = this.start;
    const to = Math.min(this.end, from + max);
    this.start = to;
    this.isLent = true;
    try {
      read(this.buffer!.subarray(from, to));
    } finally {
      this.isLent = false;
      if (this.length === 0) this.clear();
    }
  }

  clear(): void {
    this.start = this.end;
    if (this.isLent || this.buffer === undefined) return;
    total -= this.buffer.length;
    releaseBuffer(this.buffer);
    this.buffer = undefined;
    this.start = 0;
    this.end = 0;
  }

  private makeRoom(bytes: number): void {
    const { buffer, length } = this;
    if (buffer !== undefined && this.end + bytes <= buffer.length) return;
    const needed = buffer === undefined ? bytes : 2 * (length + bytes);
    const larger = needed < LEAST_POOLED_BYTES ? Buffer.allocUnsafeSlow(needed) : acquireBuffer(needed);
    total += larger.length;
    if (buffer !== undefined) {
      total -= buffer.length;
      buffer.copy(larger, 0, this.start, this.end);
      // Whoever reads it keeps it: then it is left to the collector.
      if (!this.isLent) releaseBuffer(buffer);
    }
    this.buffer = larger;
    this.start = 0;
    this.end = length;
  }
}
