/**
 * One process per data folder: PGlite has no lock of its own, and two writers destroy a cluster. Owns the file `lock`
 * and who counts as alive; knows nothing of what it protects.
 *
 * Invariants: the file appears whole or not at all (it is written aside and linked into place); it names a process by
 * pid and start time, so a pid that was given to someone else, or is 1 again in a restarted container, is not mistaken
 * for the holder. A stale lock is moved aside before it is judged gone: should a rival have replaced it in between, the
 * rival's lock is put back.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataFolderLockedError, StorageOpenError } from "../storage-error.ts";

interface Holder {
  readonly pid: number;
  /** When the process started, as far as the system tells. */
  readonly startedAt: string | undefined;
}

const MAX_TAKEOVERS = 5;

/** Throws DataFolderLockedError when a live process has it. Returns the release, which is safe to call twice. */
export function acquireFolderLock(folder: string, log: (line: string) => void): () => void {
  const path = join(folder, "lock");
  const own = JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) } satisfies Holder);
  for (let takeovers = 0; takeovers <= MAX_TAKEOVERS; takeovers++) {
    if (tryLink(path, own)) return () => release(path, own);
    const found = tryRead(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && isAlive(holder)) throw new DataFolderLockedError(folder, holder.pid);
    if (removeStale(path, found))
      log(`data folder ${folder}: took over the lock that process ${holder?.pid} left behind`);
  }
  throw new StorageOpenError(`data folder ${folder}: its lock changes hands all the time; stop the other processes`);
}

/** Links a complete file into place; false when there is one already. */
function tryLink(path: string, content: string): boolean {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, content);
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function removeStale(path: string, judged: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
  const moved = tryRead(aside);
  rmSync(aside, { force: true });
  if (moved === judged) return true;
  if (moved !== undefined) tryLink(path, moved);
  return false;
}

function release(path: string, own: string): void {
  if (tryRead(path) === own) rmSync(path, { force: true });
}

function parseHolder(content: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(content) as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, startedAt: typeof startedAt === "string" ? startedAt : undefined };
  } catch {
    // Not written by us, or cut short by a full disk: it names nobody who could be alive.
    return undefined;
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
  }
  const startsAt = startTimeOf(pid);
  return startedAt === undefined || startsAt === undefined || startedAt === startsAt;
}

/** Boot and start tick of a process on Linux; undefined where the system does not tell this cheaply. */
function startTimeOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may hold spaces; start time is the 22nd of all.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? undefined : `${boot}:${ticks}`;
  } catch {
    // No /proc: the pid alone has to do.
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
