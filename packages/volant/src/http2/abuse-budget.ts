/**
 * What a peer makes us do for nothing. Owns the budgets and the counters by cause; decides nothing about frames.
 *
 * Acknowledgements and resets that the peer provoked count while they wait for the socket: above the limit the driver
 * stops reading (CVE-2019-9512, -9514, -9515). WINDOW_UPDATEs never count, so two full sides cannot deadlock.
 */
import type { Fault } from "./fault.ts";

export class AbuseBudget {
  private readonly maxProvokedFrames: number;
  private provoked = 0;
  /** Faults and refusals seen, by cause. Made when the first one happens. */
  private counters: Map<string, number> | undefined;

  constructor(maxProvokedFrames: number) {
    this.maxProvokedFrames = maxProvokedFrames;
  }

  provokeFrame(): void {
    this.provoked++;
  }

  /** The socket took everything that waited. */
  outputTaken(): void {
    this.provoked = 0;
  }

  get mayRead(): boolean {
    return this.provoked < this.maxProvokedFrames;
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
}

const EMPTY: ReadonlyMap<string, number> = new Map();
