/**
 * One header block across HEADERS and CONTINUATION. Owns the fragments until END_HEADERS and the rule that nothing may
 * come between. RFC 9113 §4.3, §6.10.
 *
 * A block that is too large to become a list costs its stream and no other: it is decoded as it comes, for the table alone,
 * and nothing of it is kept but a field that a frame cuts in two.
 *
 * Bounds: without a cap on bytes and frames a block need never end (CVE-2024-27316), and what must be kept of it grows.
 */
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { type HpackDecoder, SKIM_FAILED } from "./hpack/index.ts";
import type { ResolvedHttp2Options } from "./options.ts";

const TOO_MANY = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too-many-continuations");
const TOO_LARGE = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "header-block-too-large");
export const COMPRESSION = connectionFault(ErrorCode.COMPRESSION_ERROR, "header-compression");

/** A block earns another CONTINUATION with so many bytes: frames of the smallest legal size, half full. */
const BYTES_A_CONTINUATION = 8_192;

export class HeaderBlock {
  /** 0 while no block is open. */
  streamId = 0;
  endStream = false;
  /** The block is larger than any list that we take; it is not kept. */
  isOversized = false;
  private readonly decoder: HpackDecoder;
  private readonly keptBytes: number;
  private readonly maxBytes: number;
  private readonly maxContinuations: number;
  private kept: Buffer | undefined;
  /** Bytes in `kept`. */
  private length = 0;
  private received = 0;
  private continuations = 0;

  /** Twice the decoded limit is kept: that leaves room for every honest encoder. */
  constructor(decoder: HpackDecoder, options: ResolvedHttp2Options) {
    this.decoder = decoder;
    this.keptBytes = options.maxHeaderListBytes * 2;
    this.maxBytes = Math.max(this.keptBytes, options.maxHeaderBlockBytes);
    this.maxContinuations = options.maxContinuations;
  }

  get isOpen(): boolean {
    return this.streamId !== 0;
  }

  begin(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number): Fault | undefined {
    this.streamId = streamId;
    this.endStream = endStream;
    this.isOversized = false;
    this.continuations = 0;
    this.length = 0;
    this.received = 0;
    return this.append(bytes, start, end);
  }

  continue(bytes: Buffer, start: number, end: number): Fault | undefined {
    this.continuations++;
    const earned = Math.floor((this.received + end - start) / BYTES_A_CONTINUATION);
    if (this.continuations > this.maxContinuations + earned) return TOO_MANY;
    return this.append(bytes, start, end);
  }

  private append(bytes: Buffer, start: number, end: number): Fault | undefined {
    this.received += end - start;
    if (this.received > this.maxBytes) return TOO_LARGE;
    this.keep(bytes, start, end);
    if (this.received <= this.keptBytes) return undefined;
    this.isOversized = true;
    return this.skim();
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (this.kept === undefined || this.kept.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(this.keptBytes, needed * 2)));
      this.kept?.copy(grown, 0, 0, this.length);
      this.kept = grown;
    }
    bytes.copy(this.kept, this.length, start, end);
    this.length = needed;
  }

  private skim(): Fault | undefined {
    const done = this.decoder.skim(this.kept!, 0, this.length);
    if (done === SKIM_FAILED) return COMPRESSION;
    this.kept!.copyWithin(0, done, this.length);
    this.length -= done;
    return undefined;
  }

  /** The whole block; the assembly is empty again afterwards. */
  take(): Buffer {
    const whole = this.kept!.subarray(0, this.length);
    this.clear();
    return whole;
  }

  /** Ends a block that is oversized. */
  drop(): Fault | undefined {
    const isWhole = this.decoder.endSkim() && this.length === 0;
    this.clear();
    return isWhole ? undefined : COMPRESSION;
  }

  private clear(): void {
    this.kept = undefined;
    this.streamId = 0;
  }
}
