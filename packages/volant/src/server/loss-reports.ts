/**
 * When the loss of a part of a status is reported. Owns the rule that a client cannot fill the log of a server: what is larger
 * than we send to anyone is the application's doing and reported each time; what is cut only because a client takes small
 * header lists is reported once for its connection, and once a second for all of them. Everything is counted.
 */
import type { StatusLoss } from "./fitted-status.ts";

const SMALL_LISTS_MS = 1_000;

/** One a server. */
export class LossReports {
  private readonly usualBytes: number;
  private lastMs = Number.NEGATIVE_INFINITY;

  /** `usualBytes`: what a client takes that names no limit. */
  constructor(usualBytes: number) {
    this.usualBytes = usualBytes;
  }

  isDue({ wantedBytes }: StatusLoss, isReportedHere: boolean, nowMs: number): boolean {
    if (wantedBytes > this.usualBytes) return true;
    if (isReportedHere || nowMs - this.lastMs < SMALL_LISTS_MS) return false;
    this.lastMs = nowMs;
    return true;
  }
}
