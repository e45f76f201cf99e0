// Owns: running mutants: copies of the library in temporary folders, which tests come by which site, and the verdict.
// Must not know: what a mutant changes (mutate-sites.ts).
// Invariant: the tree is only read; every copy and every process started here is gone at the end.

import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";

const LIBRARY = "packages/volant";
/** What is copied; the rest of the repository is linked. Sources are changed, and tests import them by their place. */
const COPIED = ["src", "test", "package.json"];
const TEST_FILES = ["src/http2/**/*.test.ts", "test/http2/*.test.ts", "test/attacks/*.test.ts"];

/** A mutant that takes so many times as long as the tests without it hangs. */
const PATIENCE = 6;
const LEAST_TIMEOUT_MS = 8_000;
/** Test files below this run together in one process first: most mutants die there. */
const QUICK_MS = 1_500;

export type Verdict = "killed" | "timed out" | "survived" | "not covered";

export interface TestFile {
  /** From the library's folder. */
  readonly path: string;
  readonly elapsedMs: number;
  /** By source file, from the library's folder. */
  readonly coverage: ReadonlyMap<string, readonly CoveredRange[]>;
}

interface CoveredRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** A copy of the library in a copy of the repository's shape. */
export class Workspace {
  readonly folder: string;
  private readonly children = new Set<ChildProcess>();

  constructor(repository: string) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "mutate-")));
    const library = join(this.folder, LIBRARY);
    mkdirSync(library, { recursive: true });
    for (const entry of readdirSync(repository)) {
      if (entry !== "packages" && entry !== ".git") symlinkSync(join(repository, entry), join(this.folder, entry));
    }
    for (const entry of COPIED) cpSync(join(repository, LIBRARY, entry), join(library, entry), { recursive: true });
  }

  get library(): string {
    return join(this.folder, LIBRARY);
  }

  testFiles(): string[] {
    return globSync(TEST_FILES, { cwd: this.library }).sort();
  }

  /** True where all pass, false where one fails, undefined where the time is over. */
  async test(files: readonly string[], timeoutMs: number, coverageFolder?: string): Promise<boolean | undefined> {
    const child = spawn(process.execPath, ["--test", "--test-isolation=none", "--test-reporter=dot", ...files], {
      cwd: this.library,
      stdio: "ignore",
      env: coverageFolder === undefined ? process.env : { ...process.env, NODE_V8_COVERAGE: coverageFolder },
    });
    this.children.add(child);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject);
    child.once("close", resolve);
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    try {
      const status = await promise;
      return isOver ? undefined : status === 0;
    } finally {
      clearTimeout(timer);
      this.children.delete(child);
    }
  }

  close(): void {
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }
}

/** Runs one test file of the library as it is. Undefined where it fails: every mutant would die of it. */
export async function measure(workspace: Workspace, path: string): Promise<TestFile | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "mutate-coverage-"));
  try {
    const startedAt = performance.now();
    const passed = await workspace.test([path], 120_000, folder);
    const elapsedMs = performance.now() - startedAt;
    if (passed !== true) return undefined;
    return { path, elapsedMs, coverage: readCoverage(folder, workspace.library) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly CoveredRange[] }[];
}

function readCoverage(folder: string, library: string): Map<string, CoveredRange[]> {
  const prefix = pathToFileURL(join(library, "src/")).href;
  const coverage = new Map<string, CoveredRange[]>();
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { result: readonly ScriptCoverage[] };
    for (const { url, functions } of result) {
      if (!url.startsWith(prefix)) continue;
      const path = relative(library, new URL(url).pathname);
      coverage.set(path, [...(coverage.get(path) ?? []), ...functions.flatMap(({ ranges }) => ranges)]);
    }
  }
  return coverage;
}

/** Node runs the sources with their types blanked out, so that offsets stay. The innermost range counts. */
export function covers({ coverage }: TestFile, path: string, offset: number): boolean {
  let innermost: CoveredRange | undefined;
  for (const range of coverage.get(path) ?? []) {
    if (offset < range.startOffset || offset >= range.endOffset) continue;
    const size = range.endOffset - range.startOffset;
    if (innermost === undefined || size <= innermost.endOffset - innermost.startOffset) innermost = range;
  }
  return innermost !== undefined && innermost.count > 0;
}

/** Runs the tests that come by the site: the quick ones together, then the others one by one, until one fails. */
export async function judge(
  workspace: Workspace,
  path: string,
  mutant: string,
  tests: readonly TestFile[],
): Promise<Verdict> {
  if (tests.length === 0) return "not covered";
  const target = join(workspace.library, path);
  const original = readFileSync(target);
  writeFileSync(target, mutant);
  try {
    const sorted = [...tests].sort((one, other) => one.elapsedMs - other.elapsedMs);
    const quick = sorted.filter(({ elapsedMs }) => elapsedMs < QUICK_MS);
    const rounds = [quick, ...sorted.filter((file) => !quick.includes(file)).map((file) => [file])];
    for (const round of rounds.filter(({ length }) => length > 0)) {
      const expectedMs = round.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
      const files = round.map((file) => file.path);
      const passed = await workspace.test(files, Math.max(LEAST_TIMEOUT_MS, PATIENCE * expectedMs));
      if (passed !== true) return passed === undefined ? "timed out" : "killed";
    }
    return "survived";
  } finally {
    writeFileSync(target, original);
  }
}
