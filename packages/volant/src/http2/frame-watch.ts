/**
 * Frames and header blocks that are not complete. Owns since when, how far they are, and when that is too slow; reads no frame.
 * Without this a frame that stops in the middle, or comes an octet a second, holds its connection for ever: no other frame can
 * come, no stream can end, and nothing else here sees that the peer is at fault (slowloris).
 *
 * Two rules, because frames are of two kinds:
 * - A header block is small and of no use before it is complete: it has a fixed time, from the first octet of its HEADERS to
 *   the last of its END_HEADERS.
 * - Any other frame may be large and its link slow: 16 KiB over 2 KiB/s take eight seconds, and 16 MiB, where an option allows
 *   that, two hours. It is judged by progress: a KiB in each period, or its end. With the defaults that is 51 octets a second,
 *   and an outage of 20 seconds, as long as an answer to a keepalive PING may take; a PING or a WINDOW_UPDATE has to be
 *   complete within one period. A type that is not known yet, in a frame header that is cut, is one of these.
 *
 * What the transport has taken in without being able to hand it on is progress too: over TLS a slow peer's record of 16 KiB is
 * silent until it is complete. It counts only where nothing was handed on meanwhile, so that records of one octet, which
 * are mostly overhead, prove nothing. Time in which we did not read ourselves never counts against the peer.
 *
 * Costs: a chunk of whole frames touches nothing here. One that ends inside a frame stores numbers, and while chunk after chunk
 * does, the time of the next look stays what it is: no timer is set anew for each.
 */
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";
import { FrameType } from "./frame-type.ts";
import type { ResolvedHttp2Options } from "./options.ts";

const FRAME_TIMEOUT = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "frame-timeout");
const HEADER_BLOCK_TIMEOUT = connectionFault(ErrorCode.ENHANCE_YOUR_CALM, "header-block-timeout");

const MIN_PROGRESS_BYTES = 1_024;
/** In one period: what the transport holds back is only known by comparing two looks. */
const LOOKS = 2;
const NEVER = Number.POSITIVE_INFINITY;
const NONE = -1;

export class FrameWatch {
  private readonly frameTimeoutMs: number;
  private readonly headerBlockTimeoutMs: number;
  private readonly lookMs: number;
  /** When the first octet of the incomplete frame came; {@link NONE}: there is no such frame. */
  private sinceMs = NONE;
  private type = NONE;
  /** Octets of it that are here. */
  private heldBytes = 0;
  /** When it was last a KiB further, and how far. */
  private progressMs = 0;
  private progressBytes = 0;
  /** At the last look. */
  private lookedAtMs = 0;
  private heldAtLook = NONE;
  private receivedAtLook = 0;
  private lookAtMs = NEVER;
  /** When the open header block must be complete. */
  private blockDeadlineMs = NEVER;
  private isPaused = false;

  constructor({ frameTimeoutMs, headerBlockTimeoutMs }: ResolvedHttp2Options) {
    this.frameTimeoutMs = frameTimeoutMs;
    this.headerBlockTimeoutMs = headerBlockTimeoutMs;
    this.lookMs = Math.min(frameTimeoutMs / LOOKS, headerBlockTimeoutMs);
  }

  /** A chunk ended inside a frame that begins in it. `type`: -1 where it is not known yet. */
  begin(heldBytes: number, type: number, nowMs: number): void {
    this.sinceMs = nowMs;
    this.type = type;
    this.heldBytes = heldBytes;
    this.progressMs = nowMs;
    this.progressBytes = heldBytes;
    this.heldAtLook = NONE;
    if (this.lookAtMs <= nowMs || this.lookAtMs === NEVER) this.lookAtMs = nowMs + this.lookMs;
  }

  /** Another chunk ended inside the same frame. */
  grow(heldBytes: number, type: number, nowMs: number): void {
    this.type = type;
    this.heldBytes = heldBytes;
    if (heldBytes - this.progressBytes < MIN_PROGRESS_BYTES) return;
    this.progressMs = nowMs;
    this.progressBytes = heldBytes;
  }

  /** It is complete, and was handled. */
  end(): void {
    this.sinceMs = NONE;
  }

  /** A HEADERS frame that is being handled did not end its block. */
  beginBlock(nowMs: number): void {
    this.blockDeadlineMs = (this.sinceMs === NONE ? nowMs : this.sinceMs) + this.headerBlockTimeoutMs;
  }

  endBlock(): void {
    this.blockDeadlineMs = NEVER;
  }

  /** We stop reading, or read again: then what is incomplete has its whole time again. */
  handlePause(isPaused: boolean, nowMs: number): void {
    this.isPaused = isPaused;
    if (isPaused) return;
    if (this.blockDeadlineMs !== NEVER) this.blockDeadlineMs = nowMs + this.headerBlockTimeoutMs;
    if (this.sinceMs !== NONE) this.begin(this.heldBytes, this.type, nowMs);
  }

  get nextTimeoutMs(): number {
    if (this.isPaused) return NEVER;
    return this.sinceMs === NONE ? this.blockDeadlineMs : Math.min(this.lookAtMs, this.blockDeadlineMs);
  }

  /** What has taken too long by now. `receivedBytes`: of the transport so far, handed on or not. */
  findFault(nowMs: number, receivedBytes: number): Fault | undefined {
    if (this.isPaused) return undefined;
    if (nowMs >= this.blockDeadlineMs) return HEADER_BLOCK_TIMEOUT;
    if (this.sinceMs === NONE || nowMs < this.lookAtMs) return undefined;
    this.look(nowMs, receivedBytes);
    const isHeaders = this.type === FrameType.HEADERS;
    const deadlineMs = isHeaders ? this.sinceMs + this.headerBlockTimeoutMs : this.progressMs + this.frameTimeoutMs;
    if (nowMs >= deadlineMs) return isHeaders ? HEADER_BLOCK_TIMEOUT : FRAME_TIMEOUT;
    this.lookAtMs = Math.min(deadlineMs, nowMs + this.lookMs);
    return undefined;
  }

  private look(nowMs: number, receivedBytes: number): void {
    const { frameTimeoutMs, lookedAtMs, receivedAtLook } = this;
    const wasSilent = this.heldBytes === this.heldAtLook;
    this.lookedAtMs = nowMs;
    this.heldAtLook = this.heldBytes;
    this.receivedAtLook = receivedBytes;
    if (!wasSilent) return;
    const neededBytes = (MIN_PROGRESS_BYTES * (nowMs - lookedAtMs)) / frameTimeoutMs;
    if (receivedBytes - receivedAtLook >= neededBytes) this.progressMs = nowMs;
  }
}
