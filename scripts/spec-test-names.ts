// Owns: the names of the tests of the HTTP/2 core, as they are registered: names that are put together in loops are whole.
// Must not know: what a section means (spec-coverage.ts).
// Invariant: no test body runs. The files are loaded, in a process of their own, with a stand-in for `node:test`.
//
// As a program: prints the names as JSON; spec-test-names-hook.ts must be preloaded.

import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { names } from "./spec-test-stand-in.ts";

const LIBRARY = "packages/volant";
const TEST_FILES = ["src/http2/**/*.test.ts", "test/http2/*.test.ts", "test/attacks/*.test.ts"];

export interface TestName {
  /** From the library's folder. */
  readonly file: string;
  /** With the names of the suites it is in, if they add to it. */
  readonly name: string;
}

export function readTestNames(repository: string): TestName[] {
  const args = ["--import", join(import.meta.dirname, "spec-test-names-hook.ts"), import.meta.filename];
  const output = execFileSync(process.execPath, args, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 26 });
  return JSON.parse(output) as TestName[];
}

if (import.meta.main) {
  const library = join(process.cwd(), LIBRARY);
  const found: TestName[] = [];
  for (const file of globSync(TEST_FILES, { cwd: library }).sort()) {
    await import(pathToFileURL(join(library, file)).href);
    for (const name of names.splice(0)) found.push({ file, name });
  }
  process.stdout.write(JSON.stringify(found));
}
