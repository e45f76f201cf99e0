// Owns: what /proc tells about a process: resident memory and processor time. Linux only.
// Invariant: a process that has ended reads as undefined, never as zero.

import { readFileSync } from "node:fs";

// The unit of /proc/PID/stat, USER_HZ: 100 on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

/** Resident set in bytes. */
export function readResidentBytes(pid: number): number | undefined {
  const status = readProc(pid, "status");
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Seconds of processor time used so far, in user and kernel mode. */
export function readProcessorSeconds(pid: number): number | undefined {
  const stat = readProc(pid, "stat");
  return stat === undefined ? undefined : parseProcessorSeconds(stat);
}

/** From the text of /proc/PID/stat; the second field is a file name in parentheses and may contain anything. */
export function parseProcessorSeconds(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return Number.isNaN(user + system) ? undefined : (user + system) / TICKS_PER_SECOND;
}

/** The share of one core that a process uses while it is watched, 0 to 1 for one thread. */
export function watchLoad(pid: number, intervalMs = 50): { stop(): number } {
  const startedAt = performance.now();
  const before = readProcessorSeconds(pid) ?? 0;
  let load = 0;
  const sample = (): void => {
    const used = readProcessorSeconds(pid);
    if (used !== undefined) load = (used - before) / ((performance.now() - startedAt) / 1000);
  };
  const timer = setInterval(sample, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      return load;
    },
  };
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
