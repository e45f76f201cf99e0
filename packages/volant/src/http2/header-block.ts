/**
 * One header block across HEADERS and CONTINUATION. Owns the fragments until END_HEADERS and the rule that nothing may
 * come between. RFC 9113 §4.3, §6.10.
 *
 * Bounds: without a cap on octets and frames a block need never end, and everything of it must be kept (CVE-2024-27316).
 */
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";

const TOO_MANY = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too-many-continuations");
const TOO_LARGE = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "header-block-too-large");

export class HeaderBlock {
  /** 0 while no block is open. */
  streamId = 0;
  endStream = false;
  private readonly maxBytes: number;
  private readonly maxContinuations: number;
  private bytes: Buffer | undefined;
  private length = 0;
  private continuations = 0;

  /** `maxBytes`: encoded octets; twice the decoded limit leaves room for every honest encoder. */
  constructor(maxBytes: number, maxContinuations: number) {
    this.maxBytes = maxBytes;
    this.maxContinuations = maxContinuations;
  }

  get isOpen(): boolean {
    return this.streamId !== 0;
  }

  begin(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number): Fault | undefined {
    this.streamId = streamId;
    this.endStream = endStream;
    this.continuations = 0;
    this.length = 0;
    return this.append(bytes, start, end);
  }

  continue(bytes: Buffer, start: number, end: number): Fault | undefined {
    this.continuations++;
    if (this.continuations > this.maxContinuations) return TOO_MANY;
    return this.append(bytes, start, end);
  }

  private append(bytes: Buffer, start: number, end: number): Fault | undefined {
    const needed = this.length + end - start;
    if (needed > this.maxBytes) return TOO_LARGE;
    if (this.bytes === undefined || this.bytes.length < needed) {
      const grown = Buffer.allocUnsafe(Math.min(this.maxBytes, needed * 2));
      this.bytes?.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    bytes.copy(this.bytes, this.length, start, end);
    this.length = needed;
    return undefined;
  }

  /** The whole block; the assembly is empty again afterwards. */
  take(): Buffer {
    const whole = this.bytes!.subarray(0, this.length);
    this.bytes = undefined;
    this.streamId = 0;
    return whole;
  }
}
