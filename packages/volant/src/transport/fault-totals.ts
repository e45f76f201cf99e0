/**
 * Faults and refusals by cause, summed over the connections of a server or a channel: what metrics read as
 * `h2_abuse_total{cause}`. Owns the sums of connections that are gone; a live one keeps its own until then.
 *
 * Invariant: causes are constants of the sources, so the number of keys is bounded whatever peers do.
 */
import type { Http2Connection } from "../http2/index.ts";

/** Ends that are nobody's fault. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set(["closed", "transport-closed"]);

export class FaultTotals {
  private readonly gone = new Map<string, number>();

  count(cause: string): void {
    addTo(this.gone, cause, 1);
  }

  /** Once for each connection, when nothing more can happen on it. */
  addGone(http2: Http2Connection): void {
    addAll(this.gone, http2);
  }

  /** With what `live` connections have counted so far. */
  snapshot(live: Iterable<Http2Connection>): Readonly<Record<string, number>> {
    const sums = new Map(this.gone);
    for (const http2 of live) addAll(sums, http2);
    return Object.fromEntries(sums);
  }
}

function addAll(sums: Map<string, number>, { faultCounts }: Http2Connection): void {
  for (const [cause, count] of faultCounts) if (!ORDINARY_ENDS.has(cause)) addTo(sums, cause, count);
}

function addTo(sums: Map<string, number>, cause: string, count: number): void {
  sums.set(cause, (sums.get(cause) ?? 0) + count);
}
