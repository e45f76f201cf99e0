// Owns: what the text of a committed file must not hold (registry addresses in lock files, paths of one machine), and what a
// lock file must hold: an entry for the binary of every platform.
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

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optional?: boolean;
}

/**
 * Problems in a lock file: each optional dependency has an entry. npm leaves out what the registry or the platform of the
 * machine that wrote the file did not have; `npm ci` then fails, or installs nothing, on the machines that need it.
 */
export function checkLockedPlatforms(path: string, text: string): string[] {
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, LockedPackage>> };
  return Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).flatMap((name) => {
      const entry = packages[`${parent}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      const missing = `${path} has no entry for ${name}, which ${parent} needs on its platform`;
      if (entry === undefined) return [`${missing}; add one with version, os, cpu and "optional": true`];
      return entry.optional === true
        ? []
        : [`${path} does not mark ${name} as optional; it would fail where it is not for`];
    }),
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
