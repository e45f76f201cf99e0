// Owns: reading every file that is or would be committed, and applying the rules of repository-text.ts.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkLockedPlatforms, checkLockFile, checkMachinePaths } from "./repository-text.ts";

const repository = join(import.meta.dirname, "..");
const listing = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: repository,
  encoding: "utf8",
});

const problems = listing
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(repository, path)))
  .flatMap((path) => {
    const bytes = readFileSync(join(repository, path));
    if (bytes.includes(0)) return [];
    const text = bytes.toString("utf8");
    const isLock = basename(path) === "package-lock.json";
    const lockProblems = isLock ? [...checkLockFile(path, text), ...checkLockedPlatforms(path, text)] : [];
    return [...lockProblems, ...checkMachinePaths(path, text, repository)];
  });

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
