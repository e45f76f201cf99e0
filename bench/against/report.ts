// Owns: the verdict on a comparison with a revision, and how it is printed.

import { alignColumns } from "../lib/table.ts";
import type { AgainstScenario } from "./baseline.ts";
import type { Comparison } from "./compare.ts";

/** Fewer say too little for a verdict. */
export const MIN_PAIRS = 15;

/** One line of the result, and one element of the JSON file. */
export interface AgainstRow {
  readonly scenario: AgainstScenario;
  /** As it was given, with its hash. */
  readonly against: string;
  readonly pairs: number;
  /** Medians: microseconds of processor time per call. */
  readonly ours: number;
  readonly theirs: number;
  readonly unit: "us/call";
  /** Trimmed mean of the paired ratios of speed: more than 1 means that this tree is faster. */
  readonly ratio: number;
  /** Of the ratio: a bootstrap interval of 95 %. */
  readonly interval: { readonly low: number; readonly high: number };
  readonly allowedLossPercent: number;
  readonly pass: boolean;
  /** Each pair, in order. */
  readonly ratios: readonly number[];
  readonly void?: string;
}

export function judgeComparison(
  scenario: AgainstScenario,
  against: string,
  comparison: Comparison,
  allowedLossPercent: number,
): AgainstRow {
  const { pairs, ours, theirs, ratio, interval } = comparison;
  const reason =
    pairs.length < MIN_PAIRS ? `${pairs.length} pairs are too few for a verdict: at least ${MIN_PAIRS}` : undefined;
  return {
    scenario,
    against,
    pairs: pairs.length,
    ours,
    theirs,
    unit: "us/call",
    ratio,
    interval,
    allowedLossPercent,
    pass: reason === undefined && interval.low > 1 - allowedLossPercent / 100,
    ratios: pairs.map((pair) => pair.ratio),
    ...(reason !== undefined && { void: reason }),
  };
}

const HEADINGS = [
  "",
  "scenario",
  "against",
  "this tree",
  "revision",
  "unit",
  "speed",
  "95 % interval",
  "above",
  "pairs",
];

export function formatAgainst(rows: readonly AgainstRow[]): string {
  const table = alignColumns([HEADINGS, ...rows.map(formatRow)]);
  const reasons = rows.flatMap((row) => (row.void === undefined ? [] : [`VOID ${row.scenario}: ${row.void}`]));
  return [...table, ...reasons].join("\n");
}

function formatRow(row: AgainstRow): string[] {
  const { low, high } = row.interval;
  return [
    row.void === undefined ? (row.pass ? "PASS" : "SHORT") : "VOID",
    row.scenario,
    row.against,
    row.ours.toFixed(3),
    row.theirs.toFixed(3),
    row.unit,
    `${row.ratio.toFixed(3)}x`,
    `${formatChange(low)} to ${formatChange(high)}`,
    `-${row.allowedLossPercent} %`,
    String(row.pairs),
  ];
}

function formatChange(ratio: number): string {
  const percent = (ratio - 1) * 100;
  return `${percent < 0 ? "-" : "+"}${Math.abs(percent).toFixed(1)} %`;
}
