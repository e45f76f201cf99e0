// Owns: `npm run mutate`: every limit check, GOAWAY and RST_STREAM branch of the HTTP/2 core is disabled in turn, in a
// copy; a test must notice. Prints what nobody noticed.
// Invariant: exits with 0 only if at least 85 % were noticed.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { covers, judge, measure, type TestFile, type Verdict, Workspace } from "./mutate-run.ts";
import { disable, findMutationSites, type MutationSite } from "./mutate-sites.ts";

const USAGE =
  "npm run mutate -- [--only FILE] [--list] [--json FILE]     FILE of --only: a part of a path below src/http2";
const REPOSITORY = join(import.meta.dirname, "..");
const LIBRARY = join(REPOSITORY, "packages/volant");
const SOURCES = "src/http2/**/*.ts";
const ENOUGH_PERCENT = 85;
/** Tests wait for the event loop here and there; more at once than this makes the slow ones slower than they save. */
const PARALLEL = 2;

interface Mutant {
  readonly path: string;
  readonly source: string;
  readonly site: MutationSite;
}

interface Judged extends Mutant {
  readonly verdict: Verdict;
}

function findMutants(only: string): Mutant[] {
  const paths = globSync(SOURCES, { cwd: LIBRARY }).filter((path) => !path.endsWith(".test.ts") && path.includes(only));
  return paths.sort().flatMap((path) => {
    const source = readFileSync(join(LIBRARY, path), "utf8");
    return findMutationSites(source).map((site) => ({ path, source, site }));
  });
}

function describe({ path, site }: Mutant): string {
  return `${path}:${site.line}  ${site.kind}  ${site.shown.slice(0, 100)}`;
}

/** Hands each item to the next worker that is free. */
async function inParallel<Item, Result>(
  workers: readonly Workspace[],
  items: readonly Item[],
  work: (worker: Workspace, item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  await Promise.all(
    workers.map(async (worker) => {
      while (next < items.length) {
        const index = next++;
        results[index] = await work(worker, items[index]!);
      }
    }),
  );
  return results;
}

/** What fails as it is, in a tree that is being worked on, says nothing of a mutant. */
async function measureAll(workers: readonly Workspace[]): Promise<TestFile[]> {
  const paths = workers[0]!.testFiles();
  const measured = await inParallel(workers, paths, measure);
  for (const [index, path] of paths.entries()) {
    if (measured[index] === undefined) console.log(`left out     ${path}  fails without any mutant`);
  }
  return measured.filter((file) => file !== undefined);
}

async function judgeAll(mutants: readonly Mutant[]): Promise<Judged[]> {
  const workers: Workspace[] = [];
  try {
    for (let count = 0; count < PARALLEL; count++) workers.push(new Workspace(REPOSITORY));
    const files = await measureAll(workers);
    return await inParallel(workers, mutants, async (worker, mutant) => {
      const { path, source, site } = mutant;
      const tests = files.filter((file) => covers(file, path, site.coveredAt));
      const verdict = await judge(worker, path, disable(source, site), tests);
      if (verdict !== "killed") console.log(`${verdict.padEnd(11)}  ${describe(mutant)}`);
      return { ...mutant, verdict };
    });
  } finally {
    for (const worker of workers) worker.close();
  }
}

function report(judged: readonly Judged[], jsonFile: string | undefined): number {
  const noticed = judged.filter(({ verdict }) => verdict === "killed" || verdict === "timed out");
  const percent = judged.length === 0 ? 100 : (100 * noticed.length) / judged.length;
  console.log(
    `${noticed.length} of ${judged.length} were noticed: ${percent.toFixed(1)} %, ${ENOUGH_PERCENT} % are wanted`,
  );
  if (jsonFile !== undefined) {
    const mutants = judged.map(({ path, site: { kind, line, shown }, verdict }) => ({
      path,
      line,
      kind,
      shown,
      verdict,
    }));
    writeFileSync(
      jsonFile,
      `${JSON.stringify({ percent, noticed: noticed.length, total: judged.length, mutants }, null, 2)}\n`,
    );
  }
  return percent;
}

async function main(): Promise<number> {
  let options: { only: string; list: boolean; json?: string };
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", default: "" },
        list: { type: "boolean", default: false },
        json: { type: "string" },
      },
    });
    options = values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return 2;
  }
  const mutants = findMutants(options.only);
  if (mutants.length === 0) {
    process.stderr.write(`nothing to disable in a file like ${options.only}\n${USAGE}\n`);
    return 2;
  }
  if (options.list) {
    for (const mutant of mutants) console.log(describe(mutant));
    return 0;
  }
  return report(await judgeAll(mutants), options.json) >= ENOUGH_PERCENT ? 0 : 1;
}

process.exitCode = await main();
