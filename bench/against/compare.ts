// Owns: the paired comparison of two trees by processor time per call: the order, the fresh processes of each pair, and what is
// said about the series. Must not know: which program is measured, and who loads it.
//
// Two processes of the same code differ by a percent or more for as long as they live (addresses, what was compiled when), so each
// pair has its own two; otherwise that difference would be taken for one of the code. Within a pair the order is A B B A A B B A, and the
// next pair begins with the other side: what drifts on the machine hits both alike. The median of a side's slices is what it is judged
// by, so that a burst of something else on the machine does not decide.

import { bootstrapInterval, type Interval, median, trimmedMean } from "../lib/statistics.ts";

/** A folder that a program is run from. */
export interface Tree {
  /** For messages. */
  readonly name: string;
  readonly folder: string;
}

export interface Slice {
  /** Of all threads of the process under test. */
  readonly processorMicros: number;
  readonly calls: number;
  /** Share of its core that the other process used, 0 to 1. */
  readonly generatorLoad: number;
}

/** One process under test. */
export interface Contestant {
  warmUp(): Promise<void>;
  measure(): Promise<Slice>;
  stop(): Promise<void>;
}

export interface ComparedPair {
  /** Microseconds of processor time per call. */
  readonly ours: number;
  readonly theirs: number;
  /** Calls that ours makes in the time of one of theirs: more than 1 is faster. */
  readonly ratio: number;
  readonly generatorLoad: number;
}

export interface Comparison {
  readonly pairs: readonly ComparedPair[];
  /** Medians. */
  readonly ours: number;
  readonly theirs: number;
  /** The trimmed mean of the paired ratios, and where it would lie if all were repeated. */
  readonly ratio: number;
  readonly interval: Interval;
  readonly generatorLoad: number;
}

export type Side = "ours" | "theirs";

/** Calls of each measurement, and before the first: after fewer, V8 still compiles, and the next slices get faster and faster. */
export const SLICE_CALLS = 60_000;
export const WARM_UP_CALLS = 180_000;

const ROUNDS = 2;

/** The sides of pair `index`, in the order in which they are measured. */
export function findOrder(index: number): readonly Side[] {
  const round: readonly Side[] =
    index % 2 === 0 ? ["ours", "theirs", "theirs", "ours"] : ["theirs", "ours", "ours", "theirs"];
  return Array.from({ length: ROUNDS }, () => round).flat();
}

export interface PairLimits {
  readonly atLeast: number;
  /** Where the interval is still wider than wanted, on a machine that does other things too. */
  readonly atMost: number;
  /** Half of the interval. What decides about more pairs is how exact the ratio is, never what it is. */
  readonly wantedHalfWidth: number;
}

export async function compareTrees(
  limits: PairLimits,
  start: (side: Side) => Promise<Contestant>,
  onPair: (pair: ComparedPair, index: number) => void,
): Promise<Comparison> {
  const pairs: ComparedPair[] = [];
  while (needsMore(pairs, limits)) {
    const pair = await measurePair(findOrder(pairs.length), start);
    onPair(pair, pairs.length);
    pairs.push(pair);
  }
  return {
    pairs,
    ours: median(pairs.map(({ ours }) => ours)),
    theirs: median(pairs.map(({ theirs }) => theirs)),
    ratio: trimmedMean(pairs.map(({ ratio }) => ratio)),
    interval: findInterval(pairs),
    generatorLoad: median(pairs.map(({ generatorLoad }) => generatorLoad)),
  };
}

function needsMore(pairs: readonly ComparedPair[], { atLeast, atMost, wantedHalfWidth }: PairLimits): boolean {
  if (pairs.length < atLeast) return true;
  if (pairs.length >= atMost) return false;
  const { low, high } = findInterval(pairs);
  return (high - low) / 2 > wantedHalfWidth;
}

function findInterval(pairs: readonly ComparedPair[]): Interval {
  return bootstrapInterval(
    pairs.map(({ ratio }) => ratio),
    trimmedMean,
  );
}

async function measurePair(order: readonly Side[], start: (side: Side) => Promise<Contestant>): Promise<ComparedPair> {
  const contestants = new Map<Side, Contestant>();
  try {
    for (const side of new Set(order)) {
      const contestant = await start(side);
      contestants.set(side, contestant);
      await contestant.warmUp();
    }
    const slices: Record<Side, Slice[]> = { ours: [], theirs: [] };
    for (const side of order) slices[side].push(await contestants.get(side)!.measure());
    const [ours, theirs] = [microsPerCall(slices.ours), microsPerCall(slices.theirs)];
    const loads = [...slices.ours, ...slices.theirs].map(({ generatorLoad }) => generatorLoad);
    return { ours, theirs, ratio: theirs / ours, generatorLoad: median(loads) };
  } finally {
    for (const contestant of contestants.values()) await contestant.stop();
  }
}

function microsPerCall(slices: readonly Slice[]): number {
  return median(slices.map(({ processorMicros, calls }) => processorMicros / calls));
}
