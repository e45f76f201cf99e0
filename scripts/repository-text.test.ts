// Owns: the proof that the text rules of the repository can fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLockedPlatforms, checkLockFile, checkMachinePaths } from "./repository-text.ts";

const person = "/home".concat("/alice");

test("a lock file with a registry address is reported at its line; links inside the workspace pass", () => {
  assert.equal(checkLockFile("lock", '{\n"resolved": "https://registry.example/a.tgz" }').length, 1);
  assert.match(checkLockFile("lock", '{\n"resolved": "https://registry.example/a.tgz" }')[0] ?? "", /^lock:2 /);
  assert.deepEqual(checkLockFile("lock", '"resolved": "packages/volant", "link": true'), []);
});

test("a lock file without the entry of one platform's binary, or with one that is not optional, is reported", () => {
  const lock = (entries: Record<string, unknown>): string =>
    JSON.stringify({
      packages: { "node_modules/tool": { optionalDependencies: { "@tool/linux": "1.0.0" } }, ...entries },
    });
  assert.match(
    checkLockedPlatforms("lock", lock({})).join(),
    /^lock has no entry for @tool\/linux, which node_modules\/tool/,
  );
  const entry = { version: "1.0.0", os: ["linux"], cpu: ["x64"] };
  assert.match(checkLockedPlatforms("lock", lock({ "node_modules/@tool/linux": entry })).join(), /does not mark @tool/);
  const optional = { ...entry, optional: true };
  assert.deepEqual(checkLockedPlatforms("lock", lock({ "node_modules/@tool/linux": optional })), []);
  assert.deepEqual(checkLockedPlatforms("lock", lock({ "node_modules/tool/node_modules/@tool/linux": optional })), []);
});

test("the clone's own folder and a person's home folder are reported", () => {
  assert.match(checkMachinePaths("a.md", "x\ncd /srv/clones/volant/src", "/srv/clones/volant")[0] ?? "", /^a\.md:2 /);
  assert.equal(checkMachinePaths("a.md", `"${person}/file"`, "/srv/clones/volant").length, 1);
});

test("addresses, relative paths and the home of a container's user are no machine paths", () => {
  for (const text of [
    "https://example.com".concat(person, "/x"),
    "./home/a/",
    "/home/node/app",
    "/srv/clones/volantine/x",
  ])
    assert.deepEqual(checkMachinePaths("a.md", text, "/srv/clones/volant"), [], text);
});
