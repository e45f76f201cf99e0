// Owns: what a scenario is to the runner.

import type { Row } from "./targets.ts";

export interface RunOptions {
  /** Pairs per comparison. */
  readonly pairs: number;
  /** Length of one measurement. */
  readonly durationSeconds: number;
  /** Progress, for people; never part of the result. */
  readonly log: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly run: (options: RunOptions) => Promise<Row[]>;
}
