/**
 * Messages that cannot be handed over when they arrive: compressed ones, those behind them, and those that nobody takes
 * fast enough. Owns their order and the place of the end behind them; made for a stream when the first such message comes.
 *
 * Invariants: one message of a stream is inflated at a time, and only once everything before it was taken, so that a few
 * KiB on the wire cannot become gigabytes in a queue; what was inflated counts towards the budget until it is taken; a call
 * that has ended drops what is under way.
 */
import { compressionThreads, ThreadWork } from "../compression/threads.ts";
import type { InflateFault, MessageEncoding } from "../grpc/message-encoding.ts";
import { FLAG_COMPRESSED, PREFIX_BYTES } from "../grpc/message-prefix.ts";
import { StatusCode } from "../grpc/status-code.ts";
import { detached } from "../rpc/ambient.ts";
import { Backlog } from "./backlog.ts";
import { bufferLimitText, messageLimitText, type PeerLimits } from "./inbound-limits.ts";

/** What a decoded message occupies at least, however short it was on the wire. */
export const MESSAGE_OVERHEAD_BYTES = 128;

/** The stream that the messages belong to. */
export interface LateMessagesHost {
  /** Octets of messages handed over and not taken, with their overhead. */
  readonly aheadBytes: number;
  /** Octets of the budget that the stream has. */
  readonly bufferedBytes: number;
  readonly encoding: MessageEncoding | undefined;
  /** Decodes the message and gives it to its reader. */
  handOver(bytes: Buffer, start: number, end: number, cost: number): void;
  refuse(code: StatusCode, message: string): void;
  /** Everything was handed over, and the end was waiting for that. */
  onDrained(): void;
}

export class LateMessages {
  /** Octets acquired from the budget for the inflated message that is not taken yet. */
  inflatedBytes = 0;
  private readonly host: LateMessagesHost;
  private readonly limits: PeerLimits;
  private readonly backlog = new Backlog();
  /** Off the event loop, until its result is here. */
  private inflating: ThreadWork | undefined = undefined;
  private isAdvancing = false;
  private isEndHeld = false;
  private isStopped = false;

  constructor(host: LateMessagesHost, limits: PeerLimits) {
    this.host = host;
    this.limits = limits;
  }

  get isEmpty(): boolean {
    return this.inflating === undefined && this.backlog.isEmpty;
  }

  /** Memory reserved for messages that wait as bytes. */
  get heldBytes(): number {
    return this.backlog.heldBytes;
  }

  /** To be followed by {@link keepChunk} while `bytes` are still what they are. */
  add(bytes: Buffer, start: number, end: number, flag: number): void {
    this.backlog.add(bytes, start, end, flag);
    this.advance();
  }

  /** The chunk that messages were added from is about to be used for others. */
  keepChunk(): void {
    this.backlog.keep();
  }

  /** A message left the reader's queue. The next ones are not handed over one by one but several at a time. */
  onTaken(): void {
    const { aheadBytes } = this.host;
    if (aheadBytes > this.limits.aheadBytes / 2) return;
    if (this.inflatedBytes > 0 && aheadBytes <= 0) this.releaseInflated();
    this.advance();
  }

  /** True where nothing is left to hand over; otherwise `onDrained` follows. */
  holdEnd(): boolean {
    this.isEndHeld = !this.isEmpty;
    return !this.isEndHeld;
  }

  /** Drops everything. */
  stop(): void {
    this.isStopped = true;
    if (this.inflating !== undefined) compressionThreads.cancel(this.inflating);
    this.inflating = undefined;
    this.backlog.clear();
    this.releaseInflated();
  }

  /** A reader that takes at once calls back into here: the loop that is running goes on for it. */
  private advance(): void {
    if (this.isAdvancing) return;
    this.isAdvancing = true;
    while (!this.backlog.isEmpty && this.inflating === undefined && this.mayHandOver()) this.handOverNext();
    this.isAdvancing = false;
    if (!this.isEndHeld || !this.isEmpty || this.isStopped) return;
    this.isEndHeld = false;
    this.host.onDrained();
  }

  private mayHandOver(): boolean {
    const { aheadBytes } = this.host;
    if (aheadBytes <= 0) return true;
    return aheadBytes < this.limits.aheadBytes && this.inflatedBytes === 0 && this.backlog.nextFlag !== FLAG_COMPRESSED;
  }

  private handOverNext(): void {
    this.backlog.take();
    const { bytes, start, end, flag } = this.backlog;
    // A flag without an encoding was refused at its prefix.
    if (flag === FLAG_COMPRESSED) this.inflate(bytes.subarray(start, end), this.host.encoding!);
    else this.host.handOver(bytes, start, end, end - start + PREFIX_BYTES);
  }

  /** On the loop while what goes in and what comes out stay small; a small message may be a large one compressed well. */
  private inflate(message: Buffer, encoding: MessageEncoding): void {
    const cost = message.length + PREFIX_BYTES;
    const { compression } = this.limits;
    const { maxBytes } = this;
    if (message.length <= compression.offLoopBytes) {
      const result = encoding.inflate(message, Math.min(maxBytes, compression.offLoopBytes));
      if (Buffer.isBuffer(result) || !result.isTooLarge || maxBytes <= compression.offLoopBytes) {
        this.settle(result, cost);
        return;
      }
    }
    this.inflateOffLoop(message, maxBytes, cost, encoding);
  }

  private inflateOffLoop(message: Buffer, maxBytes: number, cost: number, encoding: MessageEncoding): void {
    const work = new ThreadWork(this.limits.threadLine, (onDone) =>
      encoding.inflateOffLoop(message, maxBytes, (result) => {
        onDone();
        // Whoever made room for this work may have been another call, whose context must not be seen here.
        if (this.inflating === work) detached(() => this.onInflated(result, cost));
      }),
    );
    this.inflating = work;
    compressionThreads.start(work);
  }

  private onInflated(result: Buffer | InflateFault, cost: number): void {
    this.inflating = undefined;
    this.isAdvancing = true;
    this.settle(result, cost);
    this.isAdvancing = false;
    this.advance();
  }

  private settle(result: Buffer | InflateFault, cost: number): void {
    if (!Buffer.isBuffer(result)) {
      const code = result.isTooLarge ? StatusCode.RESOURCE_EXHAUSTED : StatusCode.INTERNAL;
      const text = result.isTooLarge ? this.tooLargeText() : result.text;
      this.host.refuse(code, `a compressed message cannot be accepted: ${text}`);
      return;
    }
    if (!this.limits.share.tryAcquire(result.length, this.host.bufferedBytes)) {
      this.host.refuse(StatusCode.RESOURCE_EXHAUSTED, bufferLimitText(this.limits));
      return;
    }
    this.inflatedBytes = result.length;
    this.host.handOver(result, 0, result.length, cost);
  }

  /** Of one message that was inflated. */
  private get maxBytes(): number {
    return Math.min(this.limits.maxMessageBytes, this.limits.budget.maxBytes);
  }

  private tooLargeText(): string {
    return `it inflates to more than ${messageLimitText(this.limits, this.maxBytes)}`;
  }

  private releaseInflated(): void {
    if (this.inflatedBytes > 0) this.limits.share.release(this.inflatedBytes);
    this.inflatedBytes = 0;
  }
}
