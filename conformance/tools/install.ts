/**
 * Makes tools runnable: finds what is there and installs what is missing, into `.tools/` or as a Debian package. Must not
 * know what a suite does with them; versions are in `versions.ts`.
 *
 * Invariant: a tool is used from `.tools/NAME-VERSION` only if its installation ended well.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findCommand, isExecutable, runCommand, runOrThrow } from "./processes.ts";
import { type DebianTool, type GoTool, type PythonTool, TOOLS, type ToolName } from "./versions.ts";

const TOOLS_FOLDER = join(import.meta.dirname, "..", "..", ".tools");

/** What a cold build may take where the run has to be short. */
const FAST_LIMIT_MS = 60_000;
const LIMIT_MS = 600_000;

export type Located = { readonly path: string } | { readonly missing: string };

export interface InstallOptions {
  /** Install no Debian packages, and give up on a build that takes longer than a minute. */
  readonly isFast: boolean;
  readonly log: (line: string) => void;
}

/** Where a tool is, after installing it if need be, or why there is none. */
export async function locateTool(name: ToolName, options: InstallOptions): Promise<Located> {
  const source = TOOLS[name];
  try {
    if (source.kind === "debian") return await locatePackage(source, options);
    if (source.kind === "go") return await locateGoTool(name, source, options);
    return await locatePythonTool(name, source, options);
  } catch (error) {
    return { missing: `${name} could not be installed: ${(error as Error).message}` };
  }
}

async function locateGoTool(name: string, tool: GoTool, options: InstallOptions): Promise<Located> {
  const folder = join(TOOLS_FOLDER, `${name}-${tool.version}`);
  const path = join(folder, tool.command ?? name);
  if (isExecutable(path)) return { path };
  const go = findCommand("go");
  if (go === undefined) return { missing: `${name} is built with Go, and there is no go command` };
  options.log(`building ${name} ${tool.version}`);
  await installInto(folder, async (staging) => {
    const timeoutMs = options.isFast ? FAST_LIMIT_MS : LIMIT_MS;
    if (tool.module === undefined) {
      const env = { ...process.env, GOBIN: staging };
      await runOrThrow(go, ["install", `${tool.package}@v${tool.version}`], { env, timeoutMs });
    } else {
      const cwd = join(import.meta.dirname, tool.module);
      await runOrThrow(go, ["build", "-mod=readonly", "-o", join(staging, name), tool.package], { cwd, timeoutMs });
    }
  });
  return { path };
}

async function locatePythonTool(name: string, tool: PythonTool, options: InstallOptions): Promise<Located> {
  const folder = join(TOOLS_FOLDER, `${name}-${tool.version}`);
  const path = join(folder, "bin", "python");
  if (isExecutable(path)) return { path };
  const python = findCommand("python3");
  if (python === undefined) return { missing: `${name} needs Python, and there is no python3 command` };
  options.log(`installing ${name} ${tool.version}`);
  await installInto(folder, async (staging) => {
    const timeoutMs = options.isFast ? FAST_LIMIT_MS : LIMIT_MS;
    await runOrThrow(python, ["-m", "venv", staging], { timeoutMs });
    const packages = [tool.package, ...(tool.also ?? [])].map((each) => `${each}==${tool.version}`);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages];
    await runOrThrow(join(staging, "bin", "python"), pip, { timeoutMs });
  });
  return { path };
}

async function locatePackage(tool: DebianTool, options: InstallOptions): Promise<Located> {
  const found = findCommand(tool.command);
  if (found !== undefined) return { path: found };
  const aptGet = findCommand("apt-get");
  if (options.isFast || aptGet === undefined || process.getuid?.() !== 0) {
    return { missing: `there is no ${tool.command} command; install the package ${tool.package}` };
  }
  options.log(`installing the package ${tool.package}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-q", "-y", "--no-install-recommends", tool.package];
  // The list of packages may be missing or too old to install from; it is fetched only then.
  if ((await runCommand(aptGet, install, { env, timeoutMs: LIMIT_MS })).code !== 0) {
    await runOrThrow(aptGet, ["update", "-q"], { env, timeoutMs: LIMIT_MS });
    await runOrThrow(aptGet, install, { env, timeoutMs: LIMIT_MS });
  }
  const path = findCommand(tool.command);
  return path === undefined ? { missing: `the package ${tool.package} has no command ${tool.command}` } : { path };
}

/** Fills a folder beside `folder` and moves it there once that succeeded. */
async function installInto(folder: string, fill: (staging: string) => Promise<void>): Promise<void> {
  const staging = `${folder}.partial-${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    await fill(staging);
    rmSync(folder, { recursive: true, force: true });
    renameSync(staging, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
