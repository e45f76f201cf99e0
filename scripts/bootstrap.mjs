// Owns: making the workspace runnable from a fresh clone. Every npm script runs it first.
// Runs on the machine's own Node, 18 or newer, before anything is installed: plain JavaScript, no imports but node:.
// Invariant: after it exits with 0, node_modules matches package-lock.json and node_modules/.bin/node is Node 24.
// It writes to stderr only, so that what a script prints on stdout stays the script's own.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const REQUIRED_MAJOR = 24;
const LOCK_POLL_MS = 200;
const PROGRESS_MS = 5_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, "package-lock.json");
const installedMark = join(root, "node_modules", ".package-lock.json");
const nodePackage = join(root, "node_modules", "node");
const nodeBinary = join(root, "node_modules", ".bin", "node");
const installLock = join(root, ".bootstrap-lock");

if (!isReady()) await withInstallLock(() => isReady() || install());

function isReady() {
  return isInstalled() && hasRequiredNode();
}

function isInstalled() {
  const installed = modifiedMs(installedMark);
  return installed !== undefined && installed >= (modifiedMs(lockFile) ?? 0);
}

// The version is read from the package rather than asked of the binary: starting Node costs more than everything else
// here. That the binary runs at all is asked once, after an install.
function hasRequiredNode() {
  if (!existsSync(nodeBinary)) return false;
  const manifest = JSON.parse(readFileSync(join(nodePackage, "package.json"), "utf8"));
  return manifest.version.startsWith(`${REQUIRED_MAJOR}.`);
}

async function install() {
  if (!isInstalled()) {
    note("installing dependencies with npm ci (first run, or package-lock.json changed); this may take a minute");
    // `ci` and not `install`: exactly what the lock file names, on every machine.
    if ((await runTelling("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], root)) !== 0)
      fail("npm ci failed; see its message above. It needs npm 10 or newer and the npm registry.");
  }
  // npm disables package scripts unless they are allowed, and the one of `node` is what fetches the binary.
  if (!nodeRuns() && existsSync(nodePackage)) run(process.execPath, ["installArchSpecificPackage.js"], nodePackage);
  if (!nodeRuns()) {
    // npm has already written its mark; without this the next run would take the install for complete.
    utimesSync(installedMark, 0, 0);
    fail(
      `no Node ${REQUIRED_MAJOR} for ${process.platform}-${process.arch} on the npm registry could be installed or run. ` +
        `Install Node ${REQUIRED_MAJOR} yourself and link it: ln -sf "$(command -v node)" node_modules/.bin/node`,
    );
  }
  const now = new Date();
  utimesSync(installedMark, now, now);
}

function nodeRuns() {
  const result = spawnSync(nodeBinary, ["--version"], { encoding: "utf8" });
  return result.status === 0 && result.stdout.startsWith(`v${REQUIRED_MAJOR}.`);
}

// Two scripts started at once in a fresh clone must not install into the same folder. mkdir is atomic everywhere; the
// pid inside tells a waiting process whether the owner died without cleaning up.
async function withInstallLock(action) {
  for (let waiting = false; !acquireInstallLock(); waiting = true) {
    if (!waiting) note("another npm script is installing; waiting for it");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
  process.once("exit", () => rmSync(installLock, { recursive: true, force: true }));
  await action();
}

function acquireInstallLock() {
  try {
    mkdirSync(installLock);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (ownerIsGone()) rmSync(installLock, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(installLock, "pid"), String(process.pid));
  return true;
}

function ownerIsGone() {
  let pid;
  try {
    pid = Number(readFileSync(join(installLock, "pid"), "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  // Between mkdir and the write of the pid the folder is empty for an instant: only an old empty lock is abandoned.
  if (!pid) return Date.now() - (modifiedMs(installLock) ?? Date.now()) > 5_000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function run(command, args, cwd) {
  return spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2], shell: process.platform === "win32" }).status;
}

/** Like `run`, and says every few seconds that it goes on: npm itself is silent where stderr is no terminal. */
function runTelling(command, args, cwd) {
  return new Promise((resolve) => {
    const startedMs = Date.now();
    const seconds = () => Math.round((Date.now() - startedMs) / 1_000);
    const progress = setInterval(() => note(`${command} ${args[0]} has been at work for ${seconds()} s`), PROGRESS_MS);
    const end = (status) => {
      clearInterval(progress);
      if (status === 0) note(`installed in ${seconds()} s`);
      resolve(status);
    };
    const child = spawn(command, args, { cwd, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
    child.once("error", () => end(undefined));
    child.once("exit", end);
  });
}

function note(text) {
  process.stderr.write(`bootstrap: ${text}\n`);
}

function fail(text) {
  note(text);
  process.exit(1);
}
