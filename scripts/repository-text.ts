// Owns: what must not appear in the text of a committed file: registry addresses in lock files, paths of one machine.
// Must not know: where the files come from (check-text.ts lists them).

import { homedir } from "node:os";

/** Problems in a lock file: it must install from whatever registry the reader uses. */
export function checkLockFile(path: string, text: string): string[] {
  return reportLines(
    path,
    text,
    /"resolved": "[a-z+]+:\/\//,
    "names a registry address; install with the .npmrc of the root",
  );
}

/** Problems in any text file: the place where this clone happens to be, and home folders of people. */
export function checkMachinePaths(path: string, text: string, repository: string): string[] {
  const places = [repository, homedir()].filter((place) => place.split("/").length > 2).map(escapePattern);
  const people = "/(?:home|Users)/(?!node\\b)[a-z][\\w.-]*";
  const pattern = new RegExp(`(?<![\\w.~-])(?:${[...places, people].join("|")})/`);
  return reportLines(path, text, pattern, "names a path of one machine; make it relative");
}

function reportLines(path: string, text: string, pattern: RegExp, message: string): string[] {
  return text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${message}`] : []));
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
