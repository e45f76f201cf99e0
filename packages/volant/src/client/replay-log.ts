/**
 * What a call has sent of its request stream, so that another attempt can send it again. Owns the octets of the messages
 * and what they may take: per call, and all calls of the channel together. gRFC A6 "Memory Management".
 *
 * It stands between the sending half of a stream and the codec, because the application's iterable is read once, and its
 * messages may change after they were sent: what is repeated is what was encoded. Buys: octets are copied once, into one
 * buffer a call, with nothing made for each message.
 *
 * Invariant: it is open while it holds everything that was sent. Once closed it holds nothing and costs a call's later
 * messages one branch; the call is then committed to the attempt under way.
 */
import type { MessageCodec } from "../rpc/method.ts";
import type { BufferBudget } from "../stream/buffer-budget.ts";

export interface ReplayLimits {
  /** What one call may keep, in octets. */
  readonly callBytes: number;
  /** Shared by the calls of a channel. */
  readonly budget: BufferBudget;
}

type AnyCodec = MessageCodec<unknown, unknown>;

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 1_024;

export class ReplayLog implements AnyCodec {
  private readonly codec: AnyCodec;
  private readonly limits: ReplayLimits;
  private bytes: Buffer = NOTHING;
  /** Where each message ends. */
  private ends: number[] = [];
  /** Octets of the message that was encoded last and not kept yet, behind those that were. */
  private pending = 0;
  private opened = true;
  private isReplaying = false;

  constructor(codec: AnyCodec, limits: ReplayLimits) {
    this.codec = codec;
    this.limits = limits;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  get isEmpty(): boolean {
    return this.ends.length === 0;
  }

  /** The message encoded last was sent. */
  keep(): void {
    if (!this.opened) return;
    this.ends.push(this.length + this.pending);
    this.pending = 0;
  }

  /** Hands every message to `send`, encoded; it must come back here through {@link encode} or {@link encodeInto}. */
  replay(send: (encoded: Buffer) => void): void {
    this.isReplaying = true;
    try {
      let start = 0;
      for (const end of this.ends) {
        send(this.bytes.subarray(start, end));
        start = end;
      }
    } finally {
      this.isReplaying = false;
    }
  }

  /** Nothing is sent again. */
  close(): void {
    if (!this.opened) return;
    this.opened = false;
    this.limits.budget.release(this.bytes.length);
    this.bytes = NOTHING;
    this.ends = [];
  }

  // MessageCodec

  get estimate(): number {
    return this.codec.estimate;
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    return this.codec.decode(bytes, start, end);
  }

  encode(message: unknown): Uint8Array {
    if (this.isReplaying) return message as Buffer;
    const encoded = this.codec.encode(message);
    if (this.opened) this.put(encoded, 0, encoded.length);
    return encoded;
  }

  encodeInto(message: unknown, target: Buffer, offset: number, limit: number): number {
    if (this.isReplaying) return copyInto(message as Buffer, target, offset, limit);
    const length = this.codec.encodeInto(message, target, offset, limit);
    if (this.opened && length >= 0) this.put(target, offset, length);
    return length;
  }

  private get length(): number {
    return this.ends.length === 0 ? 0 : this.ends[this.ends.length - 1]!;
  }

  /** In place of what is pending: an encoding that came to nothing is followed by another of the same message. */
  private put(source: Uint8Array, start: number, length: number): void {
    const at = this.length;
    if (at + length > this.bytes.length && !this.grow(at + length)) return;
    this.bytes.set(source.subarray(start, start + length), at);
    this.pending = length;
  }

  /** False where a limit ends it. */
  private grow(needed: number): boolean {
    const { callBytes, budget } = this.limits;
    const size = Math.min(callBytes, Math.max(needed, 2 * this.bytes.length, FIRST_BYTES));
    if (needed > callBytes || !budget.tryAcquire(size - this.bytes.length)) {
      this.close();
      return false;
    }
    const grown = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(grown);
    this.bytes = grown;
    return true;
  }
}

function copyInto(encoded: Buffer, target: Buffer, offset: number, limit: number): number {
  if (encoded.length > limit) return -1;
  encoded.copy(target, offset);
  return encoded.length;
}
