/**
 * In a process that may not compile source text the codecs are closures, and work.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const PROGRAM = join(import.meta.dirname, "no-code-generation.ts");

test("--disallow-code-generation-from-strings: messages are encoded and decoded all the same", () => {
  const output = execFileSync(process.execPath, ["--disallow-code-generation-from-strings", PROGRAM], {
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(output), { mayCompile: false, equal: true });
});

test("without the flag the same program compiles", () => {
  assert.deepEqual(JSON.parse(execFileSync(process.execPath, [PROGRAM], { encoding: "utf8" })), {
    mayCompile: true,
    equal: true,
  });
});
