// Owns: what a comparison asks git: which commit a name means, and what the working tree is. It never changes the repository.

import { execFileSync } from "node:child_process";

/** A caller such as a git hook sets these for its own repository, and they would win over the folder. */
const INHERITED = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/** The names of all files of a repository are many. */
const MAX_OUTPUT_BYTES = 2 ** 26;

/** Runs git in `repository` and returns what it prints. */
export function runGit(repository: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !INHERITED.includes(name)));
  try {
    return execFileSync("git", ["-C", repository, ...args], {
      encoding: "utf8",
      env: { ...own, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: MAX_OUTPUT_BYTES,
    }).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error("git is missing: install it, a comparison with a revision reads that revision from the repository");
  }
}

/** The full hash of the commit that `name` means. Throws an error that says what to do where there is none. */
export function resolveRevision(repository: string, name: string): string {
  const isShallow = askIfShallow(repository);
  try {
    return runGit(repository, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  } catch (error) {
    if ((error as { status?: number }).status === undefined) throw error;
    const advice = isShallow
      ? "This clone is shallow and may lack it: run `git fetch --unshallow`, and then again."
      : "Give a branch, a tag or a commit: `git log --oneline` lists them. One that only the remote has needs `git fetch` first.";
    throw new Error(`no commit is called ${name} in this repository. ${advice}`);
  }
}

function askIfShallow(repository: string): boolean {
  try {
    return runGit(repository, ["rev-parse", "--is-shallow-repository"]) === "true";
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    if (stderr === undefined) throw error;
    throw new Error(
      `a comparison with a revision needs a git checkout, and git refuses ${repository}: ${stderr.trim()}`,
    );
  }
}

export interface WorkingTree {
  readonly hash: string;
  /** Files differ from that commit, or are new. */
  readonly isDirty: boolean;
}

export function describeWorkingTree(repository: string): WorkingTree {
  return {
    hash: resolveRevision(repository, "HEAD"),
    isDirty: runGit(repository, ["status", "--porcelain"]) !== "",
  };
}

export function shortHash(hash: string): string {
  return hash.slice(0, 9);
}
