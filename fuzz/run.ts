/**
 * `npm run fuzz`: runs the targets, each for its share of the time, and prints seed, executions and what was reached. Owns the command
 * line and the output.
 *
 * Exits with 1 if something was found (or, with --selftest, if a planted bug was not), with 2 if the command line is wrong.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type FuzzTarget, type Limits, runTarget } from "./target.ts";
import { TARGETS } from "./targets/index.ts";

const USAGE = `npm run fuzz -- [--target NAME[,NAME]] [--seconds N] [--executions N] [--seed N] [--selftest]
targets: ${TARGETS.map(({ name }) => name).join(", ")}`;

const DEFAULT_SECONDS = "60";
const MAX_SEED = 2 ** 32;

interface CommandLine extends Limits {
  readonly targets: readonly FuzzTarget[];
  readonly selftest: boolean;
}

function readCommandLine(): CommandLine {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true },
      seconds: { type: "string" },
      executions: { type: "string" },
      seed: { type: "string" },
      selftest: { type: "boolean", default: false },
    },
  });
  const names = values.target?.flatMap((list) => list.split(",")) ?? TARGETS.map(({ name }) => name);
  const unknown = names.find((name) => TARGETS.every((target) => target.name !== name));
  if (unknown !== undefined) throw new Error(`no target is called ${unknown}`);
  const executions = readNumber("executions", values.executions, Number.POSITIVE_INFINITY);
  // With a number of executions the time is no limit, unless it was given too.
  const seconds = readNumber(
    "seconds",
    values.seconds ?? (values.executions ? undefined : DEFAULT_SECONDS),
    Number.POSITIVE_INFINITY,
  );
  const seed = readNumber("seed", values.seed, randomInt(MAX_SEED));
  return {
    targets: TARGETS.filter(({ name }) => names.includes(name)),
    seconds,
    executions,
    seed,
    selftest: values.selftest,
  };
}

function readNumber(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value >= 0) || text.trim() === "") throw new Error(`--${option} must be a number of at least 0, not ${text}`);
  return value;
}

function fuzz({ targets, seed, seconds, executions }: CommandLine): boolean {
  let isClean = true;
  for (const target of targets) {
    const absence = target.absence?.();
    if (absence !== undefined) {
      console.log(`${target.name}: left out, ${absence}`);
      continue;
    }
    console.log(`${target.name}: seed ${seed}`);
    const run = target.start();
    const result = runTarget(run, { seed, executions, seconds: seconds / targets.length });
    const rate = Math.round(result.executions / Math.max(result.seconds, 0.001));
    const reached = Object.entries(run.reached()).map(([what, count]) => `${what} ${count}`);
    console.log(
      `${target.name}: ${result.executions} executions in ${result.seconds.toFixed(1)} s (${rate}/s), ${reached.join(", ")}`,
    );
    if (result.finding === undefined) continue;
    isClean = false;
    const again = `npm run fuzz -- --target ${target.name} --seed ${result.finding.seed} --executions 1`;
    console.log(`${target.name}: FOUND with seed ${result.finding.seed}; repeat with: ${again}`);
    console.log(result.finding.error);
  }
  return isClean;
}

/** Plants each bug and expects it to be found in the time that a target has. */
function selftest({ targets, seed, seconds, executions }: CommandLine): boolean {
  let areAllFound = true;
  for (const target of targets) {
    for (const bug of target.bugs) {
      const { finding, executions: count } = runTarget(target.start(bug), { seed, executions, seconds });
      if (finding === undefined) areAllFound = false;
      console.log(
        `${target.name}: "${bug}" ${finding === undefined ? "NOT FOUND" : "found"} after ${count} executions, seed ${seed}`,
      );
    }
  }
  return areAllFound;
}

let commandLine: CommandLine | undefined;
try {
  commandLine = readCommandLine();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 2;
}
if (commandLine !== undefined) {
  const isGood = commandLine.selftest ? selftest(commandLine) : fuzz(commandLine);
  if (!isGood) process.exitCode = 1;
}
