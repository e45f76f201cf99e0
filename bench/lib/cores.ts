// Owns: which core a process runs on. The server gets the first, the load generator the second, so that neither takes
// time from the other and a server's figure is that of one core.

import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

let pins: boolean | undefined;

/** True if processes can be bound to cores here: Linux with taskset and at least two cores. */
export function canPin(): boolean {
  pins ??= availableParallelism() > GENERATOR_CORE && hasTaskset();
  return pins;
}

/** The command line that runs `command` on `core`; unchanged where processes cannot be bound. */
export function pinned(core: number, command: readonly string[]): [string, ...string[]] {
  const line = canPin() ? ["taskset", "-c", String(core), ...command] : command;
  return line as [string, ...string[]];
}

function hasTaskset(): boolean {
  try {
    execFileSync("taskset", ["--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
