// Owns: what is said about a series of paired measurements: median, spread, and which pair to repeat.

/** The middle value; the mean of the two middle ones if the number of values is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}

/** The smallest value that at least `share` (0 to 1) of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("a percentile of no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** (largest − smallest) ÷ median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Index of the value farthest from the median: the pair that a disturbance of the machine hit hardest. */
export function findOutlier(values: readonly number[]): number {
  const middle = median(values);
  const distances = values.map((value) => Math.abs(value - middle));
  return distances.indexOf(Math.max(...distances));
}

/** The mean without the smallest and the largest `share` of the values: few outliers do not move it, and it uses the rest. */
export function trimmedMean(values: readonly number[], share = 0.2): number {
  if (values.length === 0) throw new RangeError("the mean of no values");
  const dropped = Math.floor(values.length * share);
  const kept = values.toSorted((a, b) => a - b).slice(dropped, values.length - dropped);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Share of resamples whose statistic lies in the interval. Default 0.95. */
  readonly level?: number;
  /** Default 10,000. */
  readonly resamples?: number;
  /** The same values and seed give the same interval. Default 1. */
  readonly seed?: number;
}

/**
 * Where `statistic` would lie if the measurement were repeated: what it is of as many values drawn with replacement, over and over,
 * without the smallest and the largest few (percentile bootstrap).
 */
export function bootstrapInterval(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  { level = 0.95, resamples = 10_000, seed = 1 }: BootstrapOptions = {},
): Interval {
  if (values.length === 0) throw new RangeError("an interval of no values");
  const random = createRandom(seed);
  const draw = (): number => values[Math.floor(random() * values.length)]!;
  const drawn = Array.from({ length: resamples }, () => statistic(values.map(draw))).sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  const at = (share: number): number => drawn[Math.min(resamples - 1, Math.floor(resamples * share))]!;
  return { low: at(tail), high: at(1 - tail) };
}
