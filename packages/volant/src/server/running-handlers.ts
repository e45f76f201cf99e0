/**
 * Handlers that have not finished, of one server. A call can be over before its handler is: cancelled, past its deadline,
 * its connection lost. Such a handler is an orphan. A drain waits for it too, so that no write is cut in half; and orphans
 * are bounded across connections, because a client that hangs up and comes back would otherwise have any number of them
 * running: places are counted by connection, and a connection that is gone counts nothing (CVE-2023-44487).
 *
 * Handlers whose call is not over are bounded already, by connections times `maxConcurrentStreams`. Capping them here as
 * well would refuse honest clients that do nothing but keep many streams open.
 *
 * Owns the counts, and the age from which an orphan is called abandoned: most likely it hangs for ever. Synchronous handlers
 * never count.
 */
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { type OrphanShare, OrphanShares } from "./orphan-share.ts";

export interface RunningHandler {
  readonly call: IncomingCall;
  readonly orphanShare: OrphanShare;
}

export interface RunningHandlersOptions {
  readonly maxOrphanedHandlers: number;
  /** From the end of its call until an orphan is abandoned. */
  readonly abandonedHandlerMs: number;
  /** Gets one error when the first handler is abandoned, and one when orphans reach their limit for the first time. */
  readonly report: (error: Error, call: IncomingCall) => void;
}

export class RunningHandlers extends WheelTimer {
  readonly shares = new OrphanShares();
  private readonly options: RunningHandlersOptions;
  private count = 0;
  private waiters: (() => void)[] = [];
  /** Not abandoned yet, with when their calls ended; oldest first. */
  private readonly orphans = new Map<RunningHandler, number>();
  private readonly abandoned = new Set<RunningHandler>();
  private orphanCount = 0;
  private hasReportedLimit = false;
  private hasReportedAbandoned = false;

  constructor(options: RunningHandlersOptions) {
    super();
    this.options = options;
  }

  get size(): number {
    return this.count;
  }

  /** Those whose call is over. */
  get orphanedSize(): number {
    return this.orphanCount;
  }

  /** Orphans past their time. */
  get abandonedSize(): number {
    return this.abandoned.size;
  }

  /** False: no further call of this client may begin. */
  hasRoomFor(share: OrphanShare): boolean {
    return share.orphans < this.options.maxOrphanedHandlers - this.orphanCount;
  }

  begin(): void {
    this.count++;
  }

  /** The call of a handler that has begun is over. */
  orphan(handler: RunningHandler, nowMs: number): void {
    this.orphans.set(handler, nowMs);
    this.orphanCount++;
    handler.orphanShare.orphans++;
    if (this.slot < 0 && this.orphans.size === 1) timerWheel.arm(this, nowMs + this.options.abandonedHandlerMs);
    if (this.hasReportedLimit || this.hasRoomFor(handler.orphanShare)) return;
    this.hasReportedLimit = true;
    const { client, orphans } = handler.orphanShare;
    const text =
      `${this.orphanCount} handlers still run although their calls are over, ${orphans} of them called by ${client}: its ` +
      "calls are refused with REFUSED_STREAM until some finish. Handlers should stop when call.signal fires; see " +
      "maxOrphanedHandlers. Reported once";
    this.options.report(new Error(text), handler.call);
  }

  end(handler: RunningHandler): void {
    if (this.orphanCount > 0) this.forgetOrphan(handler);
    if (--this.count === 0) this.giveUp();
  }

  /** Resolves when none is running, or when nobody waits any longer. */
  whenIdle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Whoever waits goes on although some still run. */
  giveUp(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }

  override onTimer(nowMs: number): void {
    const { abandonedHandlerMs } = this.options;
    for (const [handler, endedMs] of this.orphans) {
      if (nowMs - endedMs < abandonedHandlerMs) {
        timerWheel.arm(this, endedMs + abandonedHandlerMs);
        return;
      }
      this.orphans.delete(handler);
      this.abandoned.add(handler);
      this.reportAbandoned(handler);
    }
  }

  private forgetOrphan(handler: RunningHandler): void {
    if (!this.orphans.delete(handler) && !this.abandoned.delete(handler)) return;
    this.orphanCount--;
    this.shares.remove(handler.orphanShare);
    if (this.orphans.size === 0) timerWheel.disarm(this);
  }

  private reportAbandoned({ call }: RunningHandler): void {
    if (this.hasReportedAbandoned) return;
    this.hasReportedAbandoned = true;
    const text =
      `the handler of ${call.method.path} still runs ${this.options.abandonedHandlerMs} ms after its call ended; it should ` +
      "stop when call.signal fires. Reported once: server.stats().handlers.abandoned counts them";
    this.options.report(new Error(text), call);
  }
}
