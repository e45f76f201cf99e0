/**
 * The fuzzer itself: that it finds what is there, can be repeated, and says what it did.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { runTarget } from "./target.ts";
import { TARGETS } from "./targets/index.ts";

const SELFTEST_EXECUTIONS = 3_000;

function runFuzz(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], { encoding: "utf8" });
}

/** Targets that fetch something run with the command, not with the tests. */
const SELF_CONTAINED = TARGETS.filter(({ absence }) => absence === undefined);

for (const target of SELF_CONTAINED) {
  test(`${target.name}: every planted bug is found, and found again with its seed`, () => {
    for (const bug of target.bugs) {
      const limits = { seed: 1, seconds: Number.POSITIVE_INFINITY, executions: SELFTEST_EXECUTIONS };
      const { finding } = runTarget(target.start(bug), limits);
      assert.ok(finding, `"${bug}" was not found`);
      assert.throws(() => target.start(bug).execute(finding.seed), `"${bug}" is not repeated by its seed`);
    }
  });

  test(`${target.name}: without a bug nothing is found, and everything is reached`, () => {
    const run = target.start();
    const result = runTarget(run, { seed: 1, seconds: Number.POSITIVE_INFINITY, executions: 500 });
    assert.equal(result.finding, undefined);
    assert.equal(result.executions, 500);
    for (const [what, count] of Object.entries(run.reached())) assert.ok(count > 0, `${what} was not reached`);
  });
}

test("the command prints seed and executions, and runs what it was told to", () => {
  const { status, stdout } = runFuzz("--target", "codec", "--seed", "7", "--executions", "50");
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^codec: seed 7\ncodec: 50 executions in [\d.]+ s \(\d+\/s\), messages \d+, accepted \d+, refused \d+\n$/,
  );
});

test("no time means no execution", () => {
  assert.match(runFuzz("--target", "codec", "--seconds", "0").stdout, /: 0 executions in/);
});

test("a wrong command line is told, with the targets there are", () => {
  const { status, stderr } = runFuzz("--target", "unheard-of");
  assert.equal(status, 2);
  assert.match(stderr, /no target is called unheard-of\nnpm run fuzz/);
  assert.equal(runFuzz("--seconds", "soon").status, 2);
});
