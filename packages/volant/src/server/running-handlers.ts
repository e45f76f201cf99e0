/**
 * Handlers that have not finished, of one server. A call can be over before its handler is: cancelled, past its deadline,
 * its connection lost. Such a handler is an orphan. A drain waits for it too, so that no write is cut in half; and orphans
 * are bounded across connections, because a client that hangs up and comes back would otherwise have any number of them
 * running: places are counted by connection, and a connection that is gone counts nothing (CVE-2023-44487).
 *
 * Handlers whose call is not over are bounded already, by connections times `maxConcurrentStreams`. Capping them here as
 * well would refuse honest clients that do nothing but keep many streams open.
 *
 * An interceptor's `onCall` that is waited for counts as the handler of its call: it costs as much, and runs for whoever asks.
 *
 * Owns the counts, and the age from which an orphan is called abandoned: most likely it hangs for ever. What is synchronous
 * never counts.
 */
import { timerWheel, WheelTimer } from "../transport/timer-wheel.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { Orphan, OrphanQueue } from "./orphan-queue.ts";
import { type OrphanShare, OrphanShares } from "./orphan-share.ts";

export interface RunningHandler {
  readonly call: IncomingCall;
  readonly orphanShare: OrphanShare;
  /** Set while its call is over and it is not. Owned by {@link RunningHandlers}. */
  orphan: Orphan | undefined;
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
  /** They look again whether all have finished, unless they get true: then nobody waits any longer. */
  private waiters: ((isGivenUp: boolean) => void)[] = [];
  /** Not abandoned yet. */
  private readonly orphans = new OrphanQueue();
  private orphanCount = 0;
  private abandonedCount = 0;
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
    return this.abandonedCount;
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
    handler.orphan = new Orphan(handler, nowMs);
    this.orphans.add(handler.orphan);
    this.orphanCount++;
    handler.orphanShare.orphans++;
    if (this.slot < 0) timerWheel.arm(this, nowMs + this.options.abandonedHandlerMs);
    if (this.hasReportedLimit || this.hasRoomFor(handler.orphanShare)) return;
    this.hasReportedLimit = true;
    const { client, orphans } = handler.orphanShare;
    const text =
      `${this.orphanCount} handlers still run although their calls are over, ${orphans} of them called by ${client}: its ` +
      "calls are refused with REFUSED_STREAM until some finish. Handlers, and the onCall of interceptors, should stop when " +
      "call.signal fires; see maxOrphanedHandlers. Reported once";
    this.options.report(new Error(text), handler.call);
  }

  end(handler: RunningHandler): void {
    if (handler.orphan !== undefined) this.forgetOrphan(handler, handler.orphan);
    if (--this.count === 0) this.wake(false);
  }

  /** Resolves when none is running, or when nobody waits any longer. */
  async whenIdle(): Promise<void> {
    let isGivenUp = false;
    // The last to end may have begun something else at once: a handler after its onCall, an iterable after its promise.
    while (this.count > 0 && !isGivenUp) {
      isGivenUp = await new Promise<boolean>((resolve) => this.waiters.push(resolve));
    }
  }

  /** Whoever waits goes on although some still run. */
  giveUp(): void {
    this.wake(true);
  }

  override onTimer(nowMs: number): void {
    const { abandonedHandlerMs } = this.options;
    for (let { oldest } = this.orphans; oldest !== undefined; oldest = this.orphans.oldest) {
      if (nowMs - oldest.endedMs < abandonedHandlerMs) {
        timerWheel.arm(this, oldest.endedMs + abandonedHandlerMs);
        return;
      }
      this.orphans.remove(oldest);
      oldest.isAbandoned = true;
      this.abandonedCount++;
      this.reportAbandoned(oldest.handler);
    }
  }

  private wake(isGivenUp: boolean): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve(isGivenUp);
  }

  private forgetOrphan(handler: RunningHandler, orphan: Orphan): void {
    handler.orphan = undefined;
    if (orphan.isAbandoned) this.abandonedCount--;
    else this.orphans.remove(orphan);
    this.orphanCount--;
    this.shares.remove(handler.orphanShare);
    if (this.orphans.oldest === undefined) timerWheel.disarm(this);
  }

  private reportAbandoned({ call }: RunningHandler): void {
    if (this.hasReportedAbandoned) return;
    this.hasReportedAbandoned = true;
    const text =
      `the handler of ${call.method.path} still runs ${this.options.abandonedHandlerMs} ms after its call ended, or an ` +
      "interceptor's onCall in front of it; it should stop when call.signal fires. Reported once: " +
      "server.stats().handlers.abandoned counts them";
    this.options.report(new Error(text), call);
  }
}
