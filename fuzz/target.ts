/**
 * What the fuzzer runs: the contract of a target. Owns no target; `targets/` has one file each.
 */

export interface FuzzTarget {
  readonly name: string;
  /** Names of bugs that can be planted. A target that does not find each of them proves nothing. */
  readonly bugs: readonly string[];
  /** Why the target cannot run here; undefined where it can. It may fetch what it needs. */
  readonly absence?: () => string | undefined;
  /** Ready to execute; with `bug` planted where one is named. */
  readonly start: (bug?: string) => FuzzRun;
}

export interface FuzzRun {
  /** One execution: everything random comes from `seed`. Throws where a rule is broken. */
  execute(seed: number): void;
  /** What was reached so far: a target that reaches nothing finds nothing. */
  reached(): Readonly<Record<string, number>>;
}

export interface Limits {
  readonly seed: number;
  readonly seconds: number;
  readonly executions: number;
}

export interface Finding {
  readonly seed: number;
  readonly error: unknown;
}

export interface Result {
  readonly executions: number;
  readonly seconds: number;
  readonly finding: Finding | undefined;
}

/** Reading the clock at every execution would cost more than some executions do. */
const EXECUTIONS_PER_LOOK = 16;

/** Executes until the time is over, the number is reached, or something is found. Execution `n` has the seed `limits.seed + n`. */
export function runTarget(run: FuzzRun, { seed, seconds, executions }: Limits): Result {
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1_000;
  let count = 0;
  while (count < executions && (count % EXECUTIONS_PER_LOOK !== 0 || elapsed() < seconds)) {
    const current = (seed + count++) >>> 0;
    try {
      run.execute(current);
    } catch (error) {
      return { executions: count, seconds: elapsed(), finding: { seed: current, error } };
    }
  }
  return { executions: count, seconds: elapsed(), finding: undefined };
}
