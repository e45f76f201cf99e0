/**
 * What a stream sends while its messages are compressed. Owns the decision how each goes out, and the order: behind a message
 * that is compressed off the event loop wait the messages, the half-close and the trailers that come after it.
 *
 * Invariants: one message of a stream is compressed at a time; what is put in comes out in that order, or is dropped with
 * the stream; no code of the user runs here, so nothing can fail once it was put in.
 */
import { compressionThreads, type ThreadLine, ThreadWork } from "../compression/threads.ts";
import type { MessageEncoding } from "../grpc/message-encoding.ts";
import { PREFIX_BYTES, writePrefix } from "../grpc/message-prefix.ts";
import type { OutboundField } from "../transport/http2.ts";

export type TrailerBlock = readonly OutboundField[] | Buffer;

/** When to compress, and where. */
export interface SendLimits {
  readonly minBytes: number;
  readonly offLoopBytes: number;
}

/** One thing to send: a framed message, an end, or both. */
export interface LineStep {
  /** With five octets for the prefix in front of the message; empty for an end alone. */
  readonly bytes: Buffer;
  readonly trailers: TrailerBlock | undefined;
  /** Our side ends with it, without trailers. */
  readonly isLast: boolean;
}

/** The stream that the line belongs to. */
export interface LineTarget {
  transmit(step: LineStep): void;
  /** The stream is over: nothing can be sent any more. */
  readonly isOver: boolean;
  /** What waits here takes so many bytes more, or less where it is negative. */
  onHeldChange(bytes: number): void;
  /** The writer waits until the line is empty. */
  hold(): void;
  onIdle(): void;
}

export class CompressedLine {
  readonly minBytes: number;
  private readonly offLoopBytes: number;
  private readonly encoding: MessageEncoding;
  private readonly target: LineTarget;
  private readonly threadLine: ThreadLine;
  private steps: LineStep[] = [];
  /** Bytes of the messages in it, as far as anybody was told of them. */
  private held = 0;
  /** For the first step, off the event loop. */
  private work: ThreadWork | undefined = undefined;

  constructor(
    target: LineTarget,
    encoding: MessageEncoding,
    { minBytes, offLoopBytes }: SendLimits,
    threadLine: ThreadLine,
  ) {
    this.target = target;
    this.threadLine = threadLine;
    this.encoding = encoding;
    this.minBytes = minBytes;
    this.offLoopBytes = offLoopBytes;
  }

  get isIdle(): boolean {
    return this.work === undefined;
  }

  get heldBytes(): number {
    return this.held;
  }

  /** A message of so many bytes, with its prefix, would wait here for its turn or for a thread. */
  holds(bytes: number): boolean {
    return !this.isIdle || (bytes - PREFIX_BYTES >= this.minBytes && bytes - PREFIX_BYTES > this.offLoopBytes);
  }

  add(step: LineStep): void {
    this.steps.push(step);
    if (this.work === undefined) this.run();
    this.countHeld();
  }

  /** What waits is not wanted any more. */
  drop(): void {
    this.steps = [];
    if (this.work !== undefined) compressionThreads.cancel(this.work);
    this.work = undefined;
    this.countHeld();
  }

  private countHeld(): void {
    let held = 0;
    for (const { bytes } of this.steps) held += bytes.length;
    const change = held - this.held;
    this.held = held;
    if (change !== 0) this.target.onHeldChange(change);
  }

  private run(): void {
    for (let step = this.steps[0]; step !== undefined; step = this.steps[0]) {
      if (this.holds(step.bytes.length)) {
        this.compressOffLoop(step);
        return;
      }
      const length = step.bytes.length - PREFIX_BYTES;
      this.steps.shift();
      const isSmall = length < this.minBytes || length < 0;
      this.target.transmit(isSmall ? step : framed(step, this.encoding.compress(messageOf(step))));
    }
  }

  private compressOffLoop(step: LineStep): void {
    const work = new ThreadWork(this.threadLine, (onDone) =>
      this.encoding.compressOffLoop(messageOf(step), (compressed) => {
        onDone();
        if (this.work === work) this.onCompressed(step, compressed);
      }),
    );
    this.work = work;
    this.target.hold();
    compressionThreads.start(work);
  }

  private onCompressed(step: LineStep, compressed: Buffer | undefined): void {
    this.work = undefined;
    if (this.target.isOver) {
      this.steps = [];
    } else {
      this.steps.shift();
      this.target.transmit(framed(step, compressed));
      this.run();
    }
    this.countHeld();
    if (this.work === undefined) this.target.onIdle();
  }
}

function messageOf({ bytes }: LineStep): Buffer {
  return bytes.subarray(PREFIX_BYTES);
}

/** gRPC PROTOCOL-HTTP2: a message of a compressed call may be uncompressed; one that would grow is. */
function framed(step: LineStep, compressed: Buffer | undefined): LineStep {
  if (compressed === undefined || compressed.length >= step.bytes.length - PREFIX_BYTES) return step;
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + compressed.length);
  compressed.copy(bytes, writePrefix(bytes, 0, true, compressed.length));
  return { ...step, bytes };
}
