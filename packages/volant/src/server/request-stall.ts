/**
 * Requests that do not arrive. Owns a look at the open calls of one connection every so often: one that waits for the rest
 * of a message, and got less than a KiB of it between two looks, is over. Without this a call without a deadline costs its
 * sender an octet a minute, and us its memory, its stream and its share of the buffer budget (slow POST).
 *
 * Judged are calls that take one message, from their headers to their end, and streams inside a message. A stream between two
 * messages may be silent for as long as it likes. Not judged is a connection that we hold up ourselves: one that is not
 * read, or whose window is taken by what handlers have not used yet.
 */
import type { Http2Connection } from "../transport/http2.ts";
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";

/** Less than this between two looks is a stall. Any link that carries a call carries more. */
const MIN_PROGRESS_BYTES = 1_024;

/** What is asked of a call. */
export interface RequestProgress {
  /** Grows by octets, and by much more with each message; -1 while nothing of the request is missing. */
  readonly requestProgress: number;
}

/** More than the octets of any message; times the number below it stays an exact integer. */
const PROGRESS_OF_MESSAGE = 0x1_0000_0000;
const MESSAGES_TOLD_APART = 0x10_0000;

/** For {@link RequestProgress}. */
export function progressOf(messages: number, pendingBytes: number): number {
  return (messages % MESSAGES_TOLD_APART) * PROGRESS_OF_MESSAGE + pendingBytes;
}

export class RequestStalls extends WheelTimer {
  private readonly http2: Http2Connection;
  private readonly timeoutMs: number;
  private readonly onStalled: (call: RequestProgress) => void;
  /** Calls with something missing at the last look, and how far they were. */
  private seen: ReadonlyMap<RequestProgress, number> = new Map();

  constructor(http2: Http2Connection, timeoutMs: number, onStalled: (call: RequestProgress) => void) {
    super();
    this.http2 = http2;
    this.timeoutMs = timeoutMs;
    this.onStalled = onStalled;
  }

  /** A call begins. */
  begin(nowMs: number): void {
    if (this.slot < 0 && this.timeoutMs !== Number.POSITIVE_INFINITY) timerWheel.arm(this, nowMs + this.timeoutMs);
  }

  stop(): void {
    timerWheel.disarm(this);
    this.seen = new Map();
  }

  override onTimer(nowMs: number): void {
    const { http2, seen } = this;
    const isFree = http2.mayRead && http2.windows.receive >= MIN_PROGRESS_BYTES;
    const missing = new Map<RequestProgress, number>();
    const stalled: RequestProgress[] = [];
    for (const stream of http2.streams()) {
      const call = stream.context as RequestProgress | undefined;
      const told = call?.requestProgress ?? -1;
      if (call === undefined || told < 0) continue;
      const progress = told + http2.heldDataOf(stream);
      const before = seen.get(call);
      const hasMoved = before === undefined || progress < before || progress - before >= MIN_PROGRESS_BYTES;
      if (hasMoved || !isFree) missing.set(call, progress);
      else stalled.push(call);
    }
    this.seen = missing;
    if (http2.streamCount > 0) this.begin(nowMs);
    for (const call of stalled) this.onStalled(call);
  }
}
