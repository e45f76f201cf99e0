// Owns: the two sides of a comparison as temporary folders that programs of the bench run in: a revision's files, and those of the
// working tree as they are now, so that an edit does not reach a comparison that is running. Both have the programs of this tree: they
// are asked the same, and only the library differs. Packages are those that are installed here; the links of the workspace are
// made anew, so that `volant` is each side's own.
// Invariant: nothing of them is left behind, and the repository's index, branches and worktrees are untouched.

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runGit, shortHash } from "./git.ts";

const LIBRARY = join("node_modules", "volant");

export interface Checkout {
  readonly folder: string;
  /** Its lock file is not that of this tree: it runs on packages that it was not made for. */
  readonly hasOtherLock: boolean;
  remove(): void;
}

/** Both folders have names of one length: what a process holds of its paths is the same too. */
const THIS_TREE = "this-tree";

/** Checks `hash` out into a temporary folder. */
export function checkOut(repository: string, hash: string): Checkout {
  return createCheckout(repository, shortHash(hash), (folder) => {
    writeFiles(repository, hash, folder);
    replacePrograms(repository, folder);
  });
}

/** Copies the files of the working tree, also those that are not committed; ignored files are left out. */
export function copyWorkingTree(repository: string): Checkout {
  return createCheckout(repository, THIS_TREE, (folder) => {
    const list = runGit(repository, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    // One that was removed and not committed is still listed.
    const files = list.split("\0").filter((name) => name !== "" && existsSync(join(repository, name)));
    for (const name of files) cpSync(join(repository, name), join(folder, name), { recursive: true });
  });
}

function createCheckout(repository: string, label: string, fill: (folder: string) => void): Checkout {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), `volant-${label}-`));
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  // A signal ends the bench by process.exit.
  process.on("exit", remove);
  try {
    fill(folder);
    linkPackages(join(repository, "node_modules"), join(folder, "node_modules"));
    requireOwnLibrary(folder, label);
    return { folder, hasOtherLock: readLock(folder) !== readLock(repository), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** By an index of its own: `git checkout` would use that of the repository, and `git worktree` would record the folder in it. */
function writeFiles(repository: string, hash: string, folder: string): void {
  const env = { GIT_INDEX_FILE: join(folder, ".index") };
  runGit(repository, ["read-tree", hash], env);
  runGit(repository, ["checkout-index", "--all", `--prefix=${folder}/`], env);
  rmSync(join(folder, ".index"));
}

function replacePrograms(repository: string, folder: string): void {
  const [ours, theirs] = [join(repository, "bench"), join(folder, "bench")];
  rmSync(theirs, { recursive: true, force: true });
  cpSync(ours, theirs, { recursive: true, filter: (path) => !path.startsWith(join(ours, "peers")) });
}

/** Links to packages where they are; a link that leads into the workspace leads to the same place of the new one. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name.startsWith(".")) continue;
    const [source, target] = [join(from, name), join(to, name)];
    if (lstatSync(source).isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (name.startsWith("@")) linkPackages(source, target);
    else symlinkSync(source, target, "dir");
  }
}

/** A comparison of this tree with itself would always pass. */
function requireOwnLibrary(folder: string, label: string): void {
  const found = lstatSync(join(folder, LIBRARY), { throwIfNoEntry: false }) && readRealPath(join(folder, LIBRARY));
  if (found?.startsWith(folder)) return;
  throw new Error(
    `${label} has no package volant where node_modules of this tree links to it, so it cannot be measured: choose a later one`,
  );
}

function readRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function readLock(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, "package-lock.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
