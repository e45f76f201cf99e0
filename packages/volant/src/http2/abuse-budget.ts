/**
 * What a peer makes us do for nothing. Owns the budgets of one connection and the counters by cause; what an act costs is
 * in `abuse-policy.ts`. Decides nothing about frames.
 *
 * Acknowledgements and resets that the peer provoked count while they wait for the socket: above the first limit the
 * driver stops reading, above the second the connection ends (CVE-2019-9512, -9514, -9515). WINDOW_UPDATEs never count,
 * so two full sides cannot deadlock. A pause for a spent budget ends by itself.
 */
import {
  ABUSE_BUDGETS,
  type BudgetName,
  CHARGES,
  MAX_ALLOWANCE,
  PRIORITIES_PER_STREAM,
  STREAM_ERROR_COSTS,
  TINY_DATA_BYTES,
  WINDOW_UPDATES_PER_DATA,
  WINDOW_UPDATES_PER_STREAM,
} from "./abuse-policy.ts";
import type { Fault } from "./fault.ts";
import type { ResolvedHttp2Options } from "./options.ts";
import { EarnedAllowance, RefillingBudget } from "./refilling-budget.ts";

const NAMES = Object.keys(ABUSE_BUDGETS) as BudgetName[];
const NEVER = Number.POSITIVE_INFINITY;
/** Without a debt for so long a peer has come to rest. */
const CALM_MS = 1_000;

export class AbuseBudget {
  private readonly options: ResolvedHttp2Options;
  private readonly budgets = {} as Record<BudgetName, RefillingBudget>;
  private readonly windowUpdates = new EarnedAllowance(MAX_ALLOWANCE);
  private readonly priorities = new EarnedAllowance(MAX_ALLOWANCE);
  private provoked = 0;
  private unsentAnswers = 0;
  /** Calls that completed normally and are not refunded yet. */
  private completed = 0;
  /** Octets of DATA frames sent, none for more than it can earn, and streams opened: what allowances are earned by. */
  dataSent = 0;
  private streamsOpened = 0;
  /** Tiny DATA frames whose octets nobody consumed yet. */
  private tinyHeld = 0;
  private glitchDebtSinceMs = 0;
  private glitchesPaidAtMs = Number.NEGATIVE_INFINITY;
  /** When reading may go on, where a budget is in debt; otherwise never. */
  resumeAtMs: number = NEVER;
  /** Faults and refusals seen, by cause. Made when the first one happens. */
  private counters: Map<string, number> | undefined;

  constructor(options: ResolvedHttp2Options) {
    this.options = options;
    for (const name of NAMES) {
      const { burst, perSecond } = ABUSE_BUDGETS[name];
      this.budgets[name] = new RefillingBudget(options[burst], options[perSecond]);
    }
  }

  provokeFrame(): void {
    this.provoked++;
  }

  /** An acknowledgement of PING or SETTINGS. False where more of them wait than the peer may leave unread. */
  provokeAnswer(): boolean {
    this.provoked++;
    return ++this.unsentAnswers <= this.options.maxUnsentAnswers;
  }

  /** The socket took everything that waited. */
  outputTaken(): void {
    this.provoked = 0;
    this.unsentAnswers = 0;
  }

  get mayRead(): boolean {
    return this.provoked < this.options.maxProvokedFrames && this.resumeAtMs === NEVER;
  }

  handleTimeout(nowMs: number): void {
    if (nowMs >= this.resumeAtMs) this.resumeAtMs = NEVER;
  }

  callCompleted(): void {
    this.completed++;
  }

  streamOpened(): void {
    this.streamsOpened++;
  }

  /** `octets`: of a frame that a narrow window cut short; otherwise at least {@link TINY_DATA_BYTES}. */
  dataFrameSent(octets: number): void {
    this.dataSent += Math.min(octets, TINY_DATA_BYTES);
  }

  /** False where the peer resets streams faster than it may: new ones are refused until that has grown back. */
  mayOpenStream(nowMs: number): boolean {
    if (this.budgets.resets.hasToken(nowMs)) return true;
    this.payRefunds();
    return this.budgets.resets.hasToken(nowMs);
  }

  /** Counts the act, and charges it. False: the connection is over. Causes that are not listed are stream errors. */
  charge(cause: string, nowMs: number): boolean {
    this.count(cause);
    this.payRefunds();
    for (const [name, cost] of CHARGES.get(cause) ?? STREAM_ERROR_COSTS) {
      if (!this.spend(name, cost, nowMs)) return false;
    }
    return true;
  }

  /** True for a WINDOW_UPDATE that streams and DATA account for. Without a bound one octet each makes us work for ever. */
  isWindowUpdateEarned(): boolean {
    const frames = this.dataSent / TINY_DATA_BYTES;
    const earned = 1 + WINDOW_UPDATES_PER_STREAM * this.streamsOpened + WINDOW_UPDATES_PER_DATA * frames;
    return this.windowUpdates.take(Math.floor(earned));
  }

  isPriorityEarned(): boolean {
    return this.priorities.take(PRIORITIES_PER_STREAM * (1 + this.streamsOpened));
  }

  /** False where the peer has more tiny DATA frames unconsumed than it may, with a connection window of that size. */
  holdTiny(frames: number, windowBytes: number): boolean {
    const { maxTinyDataFrames, connectionWindowBytes } = this.options;
    this.tinyHeld += frames;
    if (this.tinyHeld <= maxTinyDataFrames) return true;
    return this.tinyHeld <= maxTinyDataFrames * (windowBytes / connectionWindowBytes);
  }

  releaseTiny(frames: number): void {
    this.tinyHeld -= frames;
  }

  count(cause: string): void {
    this.counters ??= new Map();
    this.counters.set(cause, (this.counters.get(cause) ?? 0) + 1);
  }

  countFault(fault: Fault): void {
    this.count(fault.cause);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.counters ?? EMPTY;
  }

  private spend(name: BudgetName, cost: number, nowMs: number): boolean {
    const budget = this.budgets[name];
    if (budget.spend(cost, nowMs) >= 0) return true;
    switch (ABUSE_BUDGETS[name].whenSpent) {
      case "refuse":
        return true;
      case "close":
        return false;
      case "pause": {
        const paidAtMs = budget.paidAtMs(nowMs);
        this.resumeAtMs = this.resumeAtMs === NEVER ? paidAtMs : Math.max(this.resumeAtMs, paidAtMs);
        return !budget.isExhausted && (name !== "glitches" || this.mayOweGlitches(nowMs, paidAtMs));
      }
    }
  }

  /** A debt soon after the one before belongs to it. False where that has gone on for too long. */
  private mayOweGlitches(nowMs: number, paidAtMs: number): boolean {
    if (nowMs - this.glitchesPaidAtMs > CALM_MS) this.glitchDebtSinceMs = nowMs;
    this.glitchesPaidAtMs = paidAtMs;
    return nowMs - this.glitchDebtSinceMs <= this.options.glitchDebtTimeoutMs;
  }

  /** Late, so that a call costs the hot path an addition. */
  private payRefunds(): void {
    if (this.completed === 0) return;
    for (const name of NAMES) this.budgets[name].refund(this.completed);
    this.completed = 0;
  }
}

const EMPTY: ReadonlyMap<string, number> = new Map();
