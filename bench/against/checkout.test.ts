// Owns: a revision as a folder, and what is said where there is none. Each test makes a small repository of its own.

import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { checkOut, copyWorkingTree } from "./checkout.ts";
import { describeWorkingTree, resolveRevision, runGit } from "./git.ts";

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "against-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

function commit(repository: string, files: Readonly<Record<string, string>>): string {
  write(repository, files);
  runGit(repository, ["add", "--all"]);
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  runGit(repository, [...who, "commit", "--quiet", "--no-verify", "-m", "a commit"]);
  return resolveRevision(repository, "HEAD");
}

const MANIFEST = JSON.stringify({ name: "volant", type: "module", exports: "./index.ts" });

/** A workspace like ours in small, with two commits and packages installed beside them. */
function createRepository(t: TestContext): { repository: string; first: string; second: string } {
  const repository = createFolder(t);
  runGit(repository, ["init", "--quiet", "--initial-branch=main"]);
  const first = commit(repository, {
    ".gitignore": "node_modules\n",
    "package-lock.json": "1",
    "packages/volant/package.json": MANIFEST,
    "packages/volant/index.ts": 'export const version = "first";\n',
    "bench/program.ts": "export {};\n",
    "bench/old.ts": "export {};\n",
  });
  rmSync(join(repository, "bench", "old.ts"));
  const second = commit(repository, {
    "package-lock.json": "2",
    "packages/volant/index.ts": 'export const version = "second";\n',
    "bench/program.ts":
      'export * from "volant";\nexport { name } from "dependency";\nexport { scoped } from "@some/scoped";\n',
    "bench/peers/peer.ts": "export {};\n",
  });
  write(join(repository, "node_modules"), {
    "dependency/package.json": JSON.stringify({ name: "dependency", type: "module", exports: "./index.js" }),
    "dependency/index.js": 'export const name = "dependency";\n',
    "@some/scoped/package.json": JSON.stringify({ name: "@some/scoped", type: "module", exports: "./index.js" }),
    "@some/scoped/index.js": 'export const scoped = "scoped";\n',
  });
  symlinkSync("../packages/volant", join(repository, "node_modules", "volant"));
  return { repository, first, second };
}

test("a revision runs this tree's programs with its own library and with the packages installed here", async (t) => {
  const { repository, first } = createRepository(t);
  const checkout = checkOut(repository, first);
  t.after(() => checkout.remove());
  const program = await import(pathToFileURL(join(checkout.folder, "bench", "program.ts")).href);
  assert.deepEqual({ ...program }, { version: "first", name: "dependency", scoped: "scoped" });
  assert.equal(checkout.hasOtherLock, true);
  assert.deepEqual(readdirSync(join(checkout.folder, "bench")), ["program.ts"]);
});

test("a copy of the working tree has what is not committed, and keeps it while the tree changes", async (t) => {
  const { repository } = createRepository(t);
  write(repository, { "packages/volant/index.ts": 'export * from "./new.ts";\n' });
  write(repository, { "packages/volant/new.ts": 'export const version = "third";\n' });
  rmSync(join(repository, "bench/peers/peer.ts"));
  const copy = copyWorkingTree(repository);
  t.after(() => copy.remove());
  write(repository, { "packages/volant/new.ts": 'export const version = "fourth";\n' });
  const program = await import(pathToFileURL(join(copy.folder, "bench", "program.ts")).href);
  assert.equal(program.version, "third");
  assert.equal(copy.hasOtherLock, false);
  const checkout = checkOut(repository, resolveRevision(repository, "HEAD"));
  t.after(() => checkout.remove());
  assert.equal(copy.folder.length, checkout.folder.length);
});

test("a checkout leaves neither a folder nor a trace in the repository", (t) => {
  const { repository, first } = createRepository(t);
  write(repository, { "packages/volant/index.ts": "changed\n", "new.ts": "new\n" });
  const before = runGit(repository, ["status", "--porcelain"]);
  const checkout = checkOut(repository, first);
  assert.ok(existsSync(checkout.folder));
  checkout.remove();
  checkout.remove();
  assert.equal(existsSync(checkout.folder), false);
  assert.equal(runGit(repository, ["status", "--porcelain"]), before);
  assert.equal(runGit(repository, ["worktree", "list"]).split("\n").length, 1);
  assert.equal(readFileSync(join(repository, "packages/volant/index.ts"), "utf8"), "changed\n");
});

test("a revision without the library is refused, and its folder is removed", (t) => {
  const { repository } = createRepository(t);
  runGit(repository, ["rm", "-r", "--quiet", "packages"]);
  const bare = commit(repository, { "readme.md": "empty\n" });
  const ours = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`volant-${bare.slice(0, 9)}-`));
  assert.throws(() => checkOut(repository, bare), /has no package volant .*choose a later one/);
  assert.deepEqual(ours(), []);
});

test("a revision is found by branch, by tag and by the beginning of its hash", (t) => {
  const { repository, first, second } = createRepository(t);
  runGit(repository, ["tag", "v1", first]);
  assert.equal(resolveRevision(repository, "main"), second);
  assert.equal(resolveRevision(repository, "v1"), first);
  assert.equal(resolveRevision(repository, first.slice(0, 8)), first);
  assert.equal(resolveRevision(repository, "main~1"), first);
});

test("an unknown revision, or one that looks like an option, is named in an error that says what to give", (t) => {
  const { repository } = createRepository(t);
  assert.throws(() => resolveRevision(repository, "nowhere"), /no commit is called nowhere .*git log --oneline/);
  assert.throws(() => resolveRevision(repository, "--all"), /no commit is called --all/);
  assert.throws(() => resolveRevision(repository, "0".repeat(40)), /no commit is called 0000/);
});

test("in a shallow clone a revision that is missing needs the rest of the history", (t) => {
  const { repository, first } = createRepository(t);
  const clone = createFolder(t);
  runGit(clone, ["clone", "--quiet", "--depth=1", pathToFileURL(repository).href, "."]);
  assert.throws(() => resolveRevision(clone, first), /shallow .*git fetch --unshallow/);
});

test("a folder that is no git checkout is said to be none", (t) => {
  assert.throws(() => resolveRevision(createFolder(t), "HEAD"), /needs a git checkout/);
});

test("changed and new files make a working tree dirty", (t) => {
  const { repository, second } = createRepository(t);
  assert.deepEqual(describeWorkingTree(repository), { hash: second, isDirty: false });
  write(repository, { "new.ts": "new\n" });
  assert.deepEqual(describeWorkingTree(repository), { hash: second, isDirty: true });
});
