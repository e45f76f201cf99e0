// Owns: `npm run check`: the list of checks, run side by side, each reported in one line with its output if it failed.
// Invariant: exits with 0 only if every check did.

import { spawn } from "node:child_process";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");
const binary = (name: string): string => join(repository, "node_modules", ".bin", name);
const script = (name: string, ...args: string[]): string[] => [process.execPath, join("scripts", name), ...args];

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  "format and lint": [binary("biome"), "check", "--error-on-warnings", "--max-diagnostics=50", "."],
  types: [binary("tsc"), "-p", "."],
  layers: script("check-layers.ts"),
  "generated code": script("generate.ts", "--check"),
  "lock files and paths": script("check-text.ts"),
};

const results = await Promise.all(Object.entries(CHECKS).map(([name, command]) => runCheck(name, command)));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function runCheck(name: string, [command = "", ...args]: readonly string[]): Promise<boolean> {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: repository, stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  const passed = (await promise) === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${passed ? "ok  " : "FAIL"}  ${name} (${seconds} s)`);
  if (!passed) process.stdout.write(Buffer.concat(output));
  return passed;
}
