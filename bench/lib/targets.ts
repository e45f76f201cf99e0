// Owns: the target table as typed data, and the verdict on a measurement.
// Must not know: how anything is measured.

import { readFileSync } from "node:fs";

export interface Target {
  readonly scenario: string;
  /** Whom we are compared with; for `measure: "value"`, what the budget is about. */
  readonly peer: string;
  readonly unit: string;
  /** What `must` and `goal` bound: ours divided by theirs, or ours alone. */
  readonly measure: "ratio" | "value";
  /** Which way is better. */
  readonly direction: "higher" | "lower";
  /** Null: measured, not judged. */
  readonly must: number | null;
  readonly goal: number;
  readonly note?: string;
}

/** One line of the result, and one element of the JSON file. */
export interface Row {
  readonly scenario: string;
  readonly peer: string;
  readonly ours: number;
  /** Null where there is a budget instead of a peer. */
  readonly theirs: number | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly must: number | null;
  readonly goal: number;
  readonly pass: boolean;
  /** (largest − smallest) ÷ median of the paired ratios. */
  readonly spread?: number;
  /** Pairs that were measured again because of the spread, and the median ratio before any was. */
  readonly repeated?: number;
  readonly firstRatio?: number;
  /** Why the row says nothing about us. A void row never passes. */
  readonly void?: string;
  /** Why our figure, and so the ratio, is at least this. */
  readonly lowerBound?: string;
}

export interface Measurement {
  readonly ours: number;
  readonly theirs?: number;
  /** Median of paired ratios; `ours / theirs` if not given. */
  readonly ratio?: number;
  readonly spread?: number;
  readonly repeated?: number;
  readonly firstRatio?: number;
  readonly void?: string;
  readonly lowerBound?: string;
}

export const TARGETS = JSON.parse(
  readFileSync(new URL("../targets.json", import.meta.url), "utf8"),
) as readonly Target[];

export function findTarget(scenario: string, peer: string, targets = TARGETS): Target {
  const target = targets.find((candidate) => candidate.scenario === scenario && candidate.peer === peer);
  if (target === undefined) throw new Error(`bench/targets.json has no row for ${scenario} against ${peer}`);
  return target;
}

export function judge(target: Target, measurement: Measurement): Row {
  const { scenario, peer, unit, must, goal } = target;
  const { ours, theirs, spread, repeated, firstRatio } = measurement;
  const ratio = measurement.ratio ?? (theirs === undefined ? undefined : ours / theirs);
  const judged = target.measure === "ratio" ? ratio : ours;
  if (judged === undefined) throw new Error(`${scenario} against ${peer} is judged by a ratio and has none`);
  const reached = must === null || (target.direction === "higher" ? judged >= must : judged <= must);
  return {
    scenario,
    peer,
    ours,
    theirs: theirs ?? null,
    unit,
    ratio: ratio ?? null,
    must,
    goal,
    pass: reached && measurement.void === undefined,
    ...(spread !== undefined && { spread }),
    ...(repeated !== undefined && { repeated }),
    ...(firstRatio !== undefined && { firstRatio }),
    ...(measurement.void !== undefined && { void: measurement.void }),
    ...(measurement.lowerBound !== undefined && { lowerBound: measurement.lowerBound }),
  };
}
