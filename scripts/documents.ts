// Owns: what a hand-written page claims about the repository: links, paths in backticks, programs in fences.
// Must not know: whether a claim is true (document-links.test.ts, document-snippets.test.ts).
// Invariant: what stands in a fence is code and holds no link.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const REPOSITORY: string = join(import.meta.dirname, "..");

export interface Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface Snippet {
  readonly language: string;
  /** Of the first line of its code, from 1. */
  readonly line: number;
  readonly code: string;
}

const FENCE = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
const LINK = /\]\(([^()\s]+)\)/g;
/** A module, by its name or any end of its path. */
const SOURCE = /`([\w./-]+\.ts)`/g;
/** A path below a folder of the root; globs are none. */
const PATH = /`((?:packages|services|examples|scripts|docs|bench|conformance|fuzz|proto|deploy)\/[\w./-]*)`/g;

/** Paths of what is or would be committed, as far as they match. */
export function listFiles(pattern: string): string[] {
  const listing = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", pattern], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  return listing.split("\0").filter((path) => path !== "" && existsSync(join(REPOSITORY, path)));
}

export function listDocuments(): Document[] {
  return listFiles("*.md").map((path) => ({ path, text: readFileSync(join(REPOSITORY, path), "utf8") }));
}

/** Targets of links that lead to a file or a heading of the repository. */
export function linksOf(text: string): string[] {
  const prose = text.replace(FENCE, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(LINK)].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target));
}

/** Paths in backticks that begin at the root. */
export function pathsOf(text: string): string[] {
  return [...text.replace(FENCE, "").matchAll(PATH)].map(([, path]) => path!);
}

/** Modules in backticks, wherever they lie. */
export function sourcesOf(text: string): string[] {
  return [...text.replace(FENCE, "").matchAll(SOURCE)].map(([, path]) => path!);
}

/** The anchors that headings get. */
export function anchorsOf(text: string): Set<string> {
  const headings = text.replace(FENCE, "").matchAll(/^#+ (.*)$/gm);
  return new Set([...headings].map(([, heading]) => anchorOf(heading!)));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

export function snippetsOf(text: string): Snippet[] {
  return [...text.matchAll(FENCE)].map((match) => ({
    language: match[1]!,
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[2]!,
  }));
}
