// Owns: the order of a paired comparison: A B A B …, so that whatever else the machine does hits both sides alike.
// Must not know: what is measured.
// Invariant: a ratio is only ever taken between two measurements made one directly after the other.

import { findOutlier, median, spread } from "./statistics.ts";

const MAX_SPREAD = 0.25;

/** One measurement of one side. */
export interface Sample {
  readonly value: number;
  /** Share of its core that the load generator used, 0 to 1. */
  readonly generatorLoad?: number;
}

export interface Pair {
  readonly ours: Sample;
  readonly theirs: Sample;
  readonly ratio: number;
}

export interface PairedResult {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly spread: number;
  /** Pairs that were measured again because the spread was too wide. */
  readonly repeated: number;
  /** The median ratio of the pairs as first measured. Repeating picks which noise to drop, so what it changed is shown. */
  readonly firstRatio: number;
  /** Median share of its core that the generator used with ours, and with theirs. */
  readonly generatorLoad: number;
  readonly theirGeneratorLoad: number;
}

/**
 * Measures `count` pairs. While the ratios spread over more than a quarter of their median, the pair farthest from it is measured
 * again, at most `count` times in all.
 */
export async function measurePairs(
  count: number,
  ours: () => Promise<Sample>,
  theirs: () => Promise<Sample>,
  onPair: (pair: Pair, label: string) => void,
): Promise<PairedResult> {
  const measure = async (label: string): Promise<Pair> => {
    const first = await ours();
    const second = await theirs();
    const pair = { ours: first, theirs: second, ratio: first.value / second.value };
    onPair(pair, label);
    return pair;
  };
  const pairs: Pair[] = [];
  while (pairs.length < count) pairs.push(await measure(`pair ${pairs.length + 1}`));
  const ratios = (): number[] => pairs.map((pair) => pair.ratio);
  const firstRatio = median(ratios());
  let repeated = 0;
  for (; repeated < count && spread(ratios()) > MAX_SPREAD; repeated++) {
    const outlier = findOutlier(ratios());
    pairs[outlier] = await measure(`pair ${outlier + 1} again`);
  }
  return {
    ours: median(pairs.map((pair) => pair.ours.value)),
    theirs: median(pairs.map((pair) => pair.theirs.value)),
    ratio: median(ratios()),
    spread: spread(ratios()),
    repeated,
    firstRatio,
    generatorLoad: median(pairs.map((pair) => pair.ours.generatorLoad ?? 0)),
    theirGeneratorLoad: median(pairs.map((pair) => pair.theirs.generatorLoad ?? 0)),
  };
}

const MAX_GENERATOR_LOAD = 0.85;

/** Why a result says nothing, if it does: a generator near its own limit with theirs makes them look slower than they are. */
function findVoidReason(result: PairedResult): string | undefined {
  if (result.theirGeneratorLoad <= MAX_GENERATOR_LOAD) return undefined;
  return `the load generator used ${Math.round(result.theirGeneratorLoad * 100)} % of its core with the peer`;
}

/** A generator near its own limit with ours hides how fast we are: the ratio is then a lower bound, and said to be one. */
function findLowerBoundReason(result: PairedResult): string | undefined {
  if (result.generatorLoad <= MAX_GENERATOR_LOAD) return undefined;
  return `the load generator used ${Math.round(result.generatorLoad * 100)} % of its core with ours, which may be faster still`;
}

/** Both verdicts on the generator, as a measurement carries them. */
export function judgeGenerator(result: PairedResult): { readonly void?: string; readonly lowerBound?: string } {
  const [voidReason, lowerBound] = [findVoidReason(result), findLowerBoundReason(result)];
  return { ...(voidReason !== undefined && { void: voidReason }), ...(lowerBound !== undefined && { lowerBound }) };
}
