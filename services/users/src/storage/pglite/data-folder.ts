/**
 * The folder of the embedded database: `lock` and `cluster/`. Owns making it and telling why it cannot be used; knows
 * nothing of PGlite but that a `postmaster.pid` left by a killed process keeps it from starting.
 *
 * Invariant: nothing below the folder is touched before its lock is held.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { StorageOpenError } from "../storage-error.ts";
import { acquireFolderLock } from "./folder-lock.ts";

export interface DataFolder {
  readonly clusterFolder: string;
  release(): void;
}

/** Makes the folder with its parents and locks it. Throws StorageOpenError or DataFolderLockedError. */
export function openDataFolder(folder: string, log: (line: string) => void): DataFolder {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true });
    const release = acquireFolderLock(path, log);
    const clusterFolder = join(path, "cluster");
    rmSync(join(clusterFolder, "postmaster.pid"), { force: true });
    return { clusterFolder, release };
  } catch (error) {
    if (error instanceof StorageOpenError) throw error;
    throw new StorageOpenError(`data folder ${path} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "a file is in its place",
  ENOTDIR: "a part of its path is a file",
  EACCES: "no permission to read and write it",
  EPERM: "no permission to read and write it",
  EROFS: "its file system is read-only",
  ENOSPC: "its disk is full",
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return REASONS[code] ?? code;
}
