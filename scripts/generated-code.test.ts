// Owns: the proof that drift of generated code is seen in each of its forms and repaired.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { applyGenerated, compareGenerated } from "./generated-code.ts";

const GENERATIONS = [{ template: "unused", inputs: [], output: "app/gen" }];

function folder(t: TestContext, files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "drift-"));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

test("equal trees have no difference, whatever lies outside the generated folders", (t) => {
  const generated = folder(t, { "app/gen/a/a_pb.ts": "a" });
  const repository = folder(t, { "app/gen/a/a_pb.ts": "a", "app/index.ts": "own" });
  assert.deepEqual(compareGenerated(repository, generated, GENERATIONS), []);
});

test("missing, changed and stale files are differences, and applying them ends the drift", (t) => {
  const generated = folder(t, { "app/gen/a/new_pb.ts": "new", "app/gen/b_pb.ts": "b2" });
  const repository = folder(t, { "app/gen/b_pb.ts": "b1", "app/gen/a/old_pb.ts": "old" });
  const differences = compareGenerated(repository, generated, GENERATIONS);
  assert.deepEqual(differences, [
    { path: "app/gen/a/new_pb.ts", kind: "missing" },
    { path: "app/gen/b_pb.ts", kind: "changed" },
    { path: "app/gen/a/old_pb.ts", kind: "stale" },
  ]);
  applyGenerated(repository, generated, differences);
  assert.equal(readFileSync(join(repository, "app/gen/a/new_pb.ts"), "utf8"), "new");
  assert.deepEqual(compareGenerated(repository, generated, GENERATIONS), []);
});
