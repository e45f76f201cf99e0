/**
 * Octets that wait for the socket, in order, in one buffer of the pool. Owns growth and hand-over; frames are written
 * into it in place. An idle connection holds no buffer.
 */
import { acquireBuffer, LARGE_BUFFER_BYTES, releaseBuffer } from "./buffer-pool.ts";

const NONE = Buffer.alloc(0);

/** What was taken: `bytes` go to the socket, `owner` goes back to the pool afterwards. */
export interface TakenOutput {
  readonly bytes: Buffer;
  readonly owner: Buffer;
}

export class OutputBuffer {
  bytes: Buffer = NONE;
  length = 0;
  /** Set while somebody writes behind `length`: whoever else needs room then moves to another buffer. */
  reserved = false;

  /** Room for `count` more octets at `length`; the caller writes there and then adds to `length`. */
  ensure(count: number): void {
    if (this.reserved || this.length + count > this.bytes.length) this.grow(this.length + count);
  }

  private grow(needed: number): void {
    const next = acquireBuffer(this.length === 0 || needed <= LARGE_BUFFER_BYTES ? needed : needed * 2);
    this.bytes.copy(next, 0, 0, this.length);
    if (this.bytes !== NONE && !this.reserved) releaseBuffer(this.bytes);
    this.bytes = next;
    this.reserved = false;
  }

  take(): TakenOutput | undefined {
    if (this.length === 0) return undefined;
    // The buffer somebody still writes into stays theirs: what is complete leaves in another one.
    if (this.reserved) this.grow(this.length);
    const owner = this.bytes;
    const taken = { bytes: owner.subarray(0, this.length), owner };
    this.bytes = NONE;
    this.length = 0;
    return taken;
  }

  /** Forgets what was not taken. */
  discard(): void {
    if (this.bytes !== NONE && !this.reserved) releaseBuffer(this.bytes);
    this.bytes = NONE;
    this.length = 0;
    this.reserved = false;
  }
}
