// Owns: which processes go first where a latency is measured. On a machine that does other things too, waiting for a processor
// would otherwise be most of what is measured.
// Linux shares a core between sessions first (autogroup) and only then by the priorities within one: a process that is to go
// first needs a session of its own, and that session's priority.

import { existsSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/** For `detached` of spawn: whoever starts a process with it also ends it. */
export const OWN_SESSION = true;

/** Lets the main thread of a process that has its own session go before others. False: this user may not. */
export function raisePriority(pid: number): boolean {
  const priority = constants.priority.PRIORITY_HIGH;
  const autogroup = `/proc/${pid}/autogroup`;
  try {
    setPriority(pid, priority);
    if (existsSync(autogroup)) writeFileSync(autogroup, String(priority));
    return true;
  } catch (error) {
    const { code, info } = error as NodeJS.ErrnoException & { info?: { code?: string } };
    const reason = info?.code ?? code;
    if (reason === "EACCES" || reason === "EPERM") return false;
    throw error;
  }
}
