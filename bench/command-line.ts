// Owns: the command line of `npm run bench`: which options there are, what they may be, and what is wrong with the given ones.
// Must not know: what a scenario does.

import { parseArgs } from "node:util";
import { AGAINST_SCENARIOS, type AgainstScenario } from "./against/baseline.ts";
import { MIN_PAIRS } from "./against/report.ts";
import { TRANSPORTS, type Transport } from "./lib/transport.ts";

const DEFAULT_PAIRS = 7;
const MAX_SECONDS = 30;

export interface CommandLine {
  /** Undefined: all. */
  readonly scenarios: readonly string[] | undefined;
  readonly pairs: number;
  readonly durationSeconds: number;
  /** Of a flood. Undefined: as long as its rows of memory need. */
  readonly seconds: number | undefined;
  readonly transports: readonly Transport[];
  readonly jsonFile: string | undefined;
  /** Revisions to compare this tree with; none: with the peers. */
  readonly against: readonly string[];
}

export function createUsage(names: readonly string[]): string {
  return `npm run bench -- [--scenario NAME[,NAME]] [--pairs N] [--duration SECONDS] [--json FILE]
  floods also take [--transport ${TRANSPORTS.join("|")}] [--seconds N]
npm run bench -- --against REV|baseline [--scenario ${AGAINST_SCENARIOS.join("|")}] [--pairs N] [--json FILE]
  compares this tree with a git revision by processor time per call
scenarios: ${names.join(", ")}`;
}

/** Throws an error that says what is wrong. `names` are the scenarios that there are. */
export function readCommandLine(args: readonly string[], names: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: "string", multiple: true },
      pairs: { type: "string" },
      duration: { type: "string", default: "2.5s" },
      seconds: { type: "string" },
      transport: { type: "string" },
      json: { type: "string" },
      against: { type: "string", multiple: true },
    },
  });
  const against = splitLists(values.against) ?? [];
  const isAgainst = values.against !== undefined;
  if (isAgainst && (against.length === 0 || against.includes("")))
    throw new Error(
      "--against needs a revision: a branch, a tag, a commit, or baseline for that of bench/baseline.json",
    );
  const scenarios = splitLists(values.scenario);
  checkScenarios(scenarios, isAgainst ? AGAINST_SCENARIOS : names, isAgainst);
  return {
    scenarios,
    pairs: readPairs(values.pairs, isAgainst ? MIN_PAIRS : DEFAULT_PAIRS),
    durationSeconds: readDuration(values.duration),
    seconds: readSeconds(values.seconds),
    transports: readTransports(values.transport),
    jsonFile: values.json,
    against,
  };
}

/** The scenarios of a comparison with a revision. */
export function chooseAgainstScenarios({ scenarios }: CommandLine): readonly AgainstScenario[] {
  return AGAINST_SCENARIOS.filter((name) => scenarios === undefined || scenarios.includes(name));
}

function splitLists(lists: readonly string[] | undefined): string[] | undefined {
  return lists?.flatMap((list) => list.split(","));
}

function checkScenarios(given: readonly string[] | undefined, names: readonly string[], isAgainst: boolean): void {
  const unknown = given?.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  if (!isAgainst) throw new Error(`no scenario is called ${unknown}`);
  throw new Error(`--against compares ${names.join(" and ")}, not ${unknown}`);
}

function readPairs(given: string | undefined, initial: number): number {
  const pairs = given === undefined ? initial : Number(given);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs must be a positive integer, not ${given}`);
  return pairs;
}

function readDuration(given: string): number {
  const seconds = Number(given.replace(/s$/, ""));
  if (!(seconds > 0)) throw new Error(`--duration must be positive seconds, such as 3s, not ${given}`);
  return seconds;
}

function readSeconds(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = Number(given.replace(/s$/, ""));
  if (!(seconds >= 1 && seconds <= MAX_SECONDS))
    throw new Error(`--seconds must be between 1 and ${MAX_SECONDS}, not ${given}`);
  return seconds;
}

function readTransports(given: string | undefined): readonly Transport[] {
  if (given === undefined) return TRANSPORTS;
  const transport = TRANSPORTS.find((known) => known === given);
  if (transport === undefined) throw new Error(`--transport must be ${TRANSPORTS.join(" or ")}, not ${given}`);
  return [transport];
}
