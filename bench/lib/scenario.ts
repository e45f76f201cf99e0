// Owns: what a scenario is to the runner.

import type { Row } from "./targets.ts";
import type { Transport } from "./transport.ts";

export interface RunOptions {
  /** Pairs per comparison. */
  readonly pairs: number;
  /** Length of one measurement. */
  readonly durationSeconds: number;
  /** Length of one flood; undefined: as long as the scenario needs. */
  readonly seconds?: number;
  /** Where a scenario runs over several. */
  readonly transports: readonly Transport[];
  /** Progress, for people; never part of the result. */
  readonly log: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly run: (options: RunOptions) => Promise<Row[]>;
}
