// Owns: bench/baseline.json: the revision that later ones are held to, and how much processor time a call may have gained since.
// Must not know: git, or how anything is measured.

import { readFileSync } from "node:fs";

/** The name that stands for the recorded revision on the command line. */
export const BASELINE = "baseline";

export const AGAINST_SCENARIOS = ["unary-server", "unary-client"] as const;

export type AgainstScenario = (typeof AGAINST_SCENARIOS)[number];

export interface Baseline {
  /** A full commit hash. */
  readonly revision: string;
  readonly note: string;
  /** The lower bound of the interval must be above minus this. Holds for every revision that is compared with, not only for the recorded one. */
  readonly allowedLossPercent: Readonly<Record<AgainstScenario, number>>;
}

export function readBaseline(file: URL = new URL("../baseline.json", import.meta.url)): Baseline {
  const baseline = JSON.parse(readFileSync(file, "utf8")) as Baseline;
  if (!/^[0-9a-f]{40}$/.test(baseline.revision))
    throw new Error(`bench/baseline.json must name a revision by its full hash, not ${baseline.revision}`);
  for (const scenario of AGAINST_SCENARIOS) {
    const percent = baseline.allowedLossPercent[scenario];
    if (!(percent > 0 && percent < 100))
      throw new Error(
        `allowedLossPercent of ${scenario} in bench/baseline.json must be between 0 and 100, not ${percent}`,
      );
  }
  return baseline;
}
