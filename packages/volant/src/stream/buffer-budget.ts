/**
 * Memory that incomplete inbound messages may hold, for the whole process. Owns the count; whoever acquires releases.
 * When it is spent the newest message is refused, so that the oldest can always complete.
 */

/** 256 MiB: sixty-four messages of the default maximum under way at once. */
export const DEFAULT_MAX_BUFFERED_BYTES = 268_435_456;

export class BufferBudget {
  readonly maxBytes: number;
  private used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  tryAcquire(bytes: number): boolean {
    if (this.used + bytes > this.maxBytes) return false;
    this.used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.used -= bytes;
  }

  get usedBytes(): number {
    return this.used;
  }
}

/** Shared by every server and channel of the process that names no limit of its own. */
export const processBudget: BufferBudget = new BufferBudget(DEFAULT_MAX_BUFFERED_BYTES);
