// Owns: the names of tests, by default of those of the HTTP/2 core, as they are registered: names that are put together in
// loops are whole.
// Must not know: what a tag in a name means (spec-coverage.ts, grpc-details.ts).
// Invariant: no test body runs. The files are loaded, in a process of their own, with a stand-in for `node:test`.
//
// As a program: prints the names in the files of the patterns given as JSON; spec-test-names-hook.ts must be preloaded.

import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { names } from "./spec-test-stand-in.ts";

const LIBRARY = "packages/volant";
/** From the library's folder. The last two are of layers that keep rules of the same RFCs. */
const HTTP2_TEST_FILES = [
  "src/http2/**/*.test.ts",
  "test/http2/*.test.ts",
  "test/attacks/*.test.ts",
  "test/tls/handshake.test.ts",
  "test/client/peer-faults.test.ts",
];

export interface TestName {
  /** From the library's folder. */
  readonly file: string;
  /** With the names of the suites it is in, if they add to it. */
  readonly name: string;
}

export function readTestNames(repository: string, patterns: readonly string[] = HTTP2_TEST_FILES): TestName[] {
  const args = ["--import", join(import.meta.dirname, "spec-test-names-hook.ts"), import.meta.filename, ...patterns];
  const output = execFileSync(process.execPath, args, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 26 });
  return JSON.parse(output) as TestName[];
}

if (import.meta.main) {
  const library = join(process.cwd(), LIBRARY);
  const found: TestName[] = [];
  for (const file of globSync(process.argv.slice(2), { cwd: library }).sort()) {
    await import(pathToFileURL(join(library, file)).href);
    for (const name of names.splice(0)) found.push({ file, name });
  }
  process.stdout.write(JSON.stringify(found));
}
