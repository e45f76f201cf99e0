/** Who holds a folder, and who counts as gone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, it } from "node:test";
import { DataFolderLockedError } from "../storage-error.ts";
import { acquireFolderLock } from "./folder-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "users-lock-"));
const lock = join(folder, "lock");
const silent = (): void => undefined;
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

it("a lock is one file that names its holder, and is gone after its release", () => {
  const release = acquireFolderLock(folder, silent);
  assert.deepEqual(readdirSync(folder), ["lock"]);
  assert.equal(JSON.parse(readFileSync(lock, "utf8")).pid, process.pid);
  release();
  release();
  assert.deepEqual(readdirSync(folder), []);
});

it("a live holder is respected, this process included", () => {
  const release = acquireFolderLock(folder, silent);
  assert.throws(
    () => acquireFolderLock(folder, silent),
    (error) => {
      return error instanceof DataFolderLockedError && error.pid === process.pid && error.path === folder;
    },
  );
  release();
  writeFileSync(lock, JSON.stringify({ pid: process.ppid }));
  assert.throws(() => acquireFolderLock(folder, silent), DataFolderLockedError);
});

it("a lock of a process that ended is taken over, with a line that says so", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(lock, JSON.stringify({ pid }));
  const lines: string[] = [];
  acquireFolderLock(folder, (line) => lines.push(line))();
  assert.match(lines.join(), new RegExp(`took over the lock that process ${pid} left behind`));
  assert.deepEqual(readdirSync(folder), []);
});

it("a pid that another process has by now does not count as alive", { skip: process.platform !== "linux" }, () => {
  for (const pid of [process.pid, process.ppid]) {
    writeFileSync(lock, JSON.stringify({ pid, startedAt: "an earlier boot:1" }));
    acquireFolderLock(folder, silent)();
  }
});

it("a file that names nobody is taken over", () => {
  for (const content of ["", "{", "null", "17", '{"pid":"1"}', '{"pid":-1}', '{"pid":0}']) {
    writeFileSync(lock, content);
    acquireFolderLock(folder, silent)();
    assert.deepEqual(readdirSync(folder), []);
  }
});

it("a release leaves the lock of a successor alone", () => {
  const release = acquireFolderLock(folder, silent);
  writeFileSync(lock, JSON.stringify({ pid: process.ppid }));
  release();
  assert.deepEqual(readdirSync(folder), ["lock"]);
});
