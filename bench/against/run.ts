// Owns: `npm run bench -- --against REV`: which trees are compared in which scenarios, and the end of the temporary checkout.

import { join } from "node:path";
import { canPin } from "../lib/cores.ts";
import { requireH2load } from "../lib/h2load.ts";
import { raisePriority } from "../lib/priority.ts";
import { startServer } from "../lib/server-process.ts";
import { type AgainstScenario, BASELINE, readBaseline } from "./baseline.ts";
import { type Checkout, checkOut, copyWorkingTree } from "./checkout.ts";
import { startClientContestant } from "./client-contestant.ts";
import { type Comparison, compareTrees, type PairLimits, type Tree } from "./compare.ts";
import { describeWorkingTree, resolveRevision, shortHash } from "./git.ts";
import { type AgainstRow, judgeComparison } from "./report.ts";
import { startServerContestant } from "./server-contestant.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
const MAX_GENERATOR_LOAD = 0.85;
/** How many times as many pairs there may be where the machine is not quiet. */
const MAX_EXTENSION = 2;
/** Of the allowed loss: an interval that is wider finds a loss where there is none. */
const WANTED_HALF_WIDTH = 2 / 3;

export interface Revision {
  /** As it was given. */
  readonly name: string;
  readonly hash: string;
}

export interface AgainstOptions {
  readonly revisions: readonly Revision[];
  readonly scenarios: readonly AgainstScenario[];
  readonly pairs: number;
  readonly log: (line: string) => void;
}

interface Trees {
  readonly ours: Tree;
  readonly theirs: Tree;
}

/** A branch, a tag, a commit, or `baseline`. Throws an error that says what to do where there is none. */
export function findRevision(name: string): Revision {
  return { name, hash: resolveRevision(REPOSITORY, name === BASELINE ? readBaseline().revision : name) };
}

export async function runAgainst(options: AgainstOptions): Promise<AgainstRow[]> {
  if (options.scenarios.includes("unary-server")) requireH2load();
  if (!canPin()) options.log("processes cannot be bound to cores here: both sides share them with their generator");
  const rows: AgainstRow[] = [];
  for (const revision of options.revisions) rows.push(...(await runAgainstOne(revision, options)));
  return rows;
}

async function runAgainstOne(revision: Revision, options: AgainstOptions): Promise<AgainstRow[]> {
  const { scenarios, log } = options;
  logTrees(revision, log);
  const rows: AgainstRow[] = [];
  const checkouts: Checkout[] = [];
  try {
    checkouts.push(copyWorkingTree(REPOSITORY), checkOut(REPOSITORY, revision.hash));
    const [ours, theirs] = checkouts as [Checkout, Checkout];
    if (theirs.hasOtherLock) log("its package-lock.json differs: both sides run on the packages installed here");
    const trees: Trees = {
      ours: { name: "this tree", folder: ours.folder },
      theirs: { name: shortHash(revision.hash), folder: theirs.folder },
    };
    for (const scenario of scenarios) {
      log(`== ${scenario} against ${nameWithHash(revision)}`);
      rows.push(await runScenario(scenario, trees, revision, options));
    }
  } finally {
    for (const checkout of checkouts) checkout.remove();
  }
  return rows;
}

async function runScenario(
  scenario: AgainstScenario,
  trees: Trees,
  revision: Revision,
  { pairs, log }: AgainstOptions,
): Promise<AgainstRow> {
  const allowedLossPercent = readBaseline().allowedLossPercent[scenario];
  const limits: PairLimits = {
    atLeast: pairs,
    atMost: MAX_EXTENSION * pairs,
    wantedHalfWidth: (WANTED_HALF_WIDTH * allowedLossPercent) / 100,
  };
  const comparison = await compare(scenario, trees, limits, log);
  logGenerator(comparison, log);
  return judgeComparison(scenario, nameWithHash(revision), comparison, allowedLossPercent);
}

async function compare(
  scenario: AgainstScenario,
  trees: Trees,
  limits: PairLimits,
  log: (line: string) => void,
): Promise<Comparison> {
  const onPair: Parameters<typeof compareTrees>[2] = ({ ours, theirs, ratio, generatorLoad }, index) =>
    log(
      `pair ${index + 1}: ${ours.toFixed(3)} / ${theirs.toFixed(3)} us per call = ${ratio.toFixed(3)}x, the other core at ${Math.round(generatorLoad * 100)} %`,
    );
  if (scenario === "unary-server")
    return await compareTrees(limits, (side) => startServerContestant(trees[side]), onPair);
  const program = join(trees.ours.folder, "bench", "servers", "volant-unary.ts");
  const server = await startServer("volant", program);
  raisePriority(server.pid);
  try {
    return await compareTrees(limits, (side) => startClientContestant(trees[side], server), onPair);
  } finally {
    await server.stop();
  }
}

function logTrees(revision: Revision, log: (line: string) => void): void {
  const tree = describeWorkingTree(REPOSITORY);
  const changes = tree.isDirty ? " with changes that are not committed" : "";
  log(`this tree is ${shortHash(tree.hash)}${changes}, compared with ${nameWithHash(revision)}`);
  if (tree.hash === revision.hash && !tree.isDirty) log("both are the same: what is measured is noise");
}

function logGenerator({ generatorLoad }: Comparison, log: (line: string) => void): void {
  if (generatorLoad <= MAX_GENERATOR_LOAD) return;
  log(
    `the other core was at ${Math.round(generatorLoad * 100)} %: calls a second would be too few, processor time per call holds`,
  );
}

function nameWithHash({ name, hash }: Revision): string {
  return hash.startsWith(name) ? shortHash(hash) : `${name} (${shortHash(hash)})`;
}
