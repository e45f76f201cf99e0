/**
 * Which engine a URL names, and where its data is. Owns the accepted forms and their error; opens nothing.
 *
 * Invariant: nothing here repeats a URL, because a URL may hold a password.
 */
import { fileURLToPath } from "node:url";
import { StorageOpenError } from "./storage-error.ts";

export const DEFAULT_DATA_DIR = ".data/users";

export type StorageLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "postgres"; readonly url: string; readonly label: string };

const ALLOWED =
  "allowed are postgres://user:password@host:5432/database (or postgresql://), memory://, file:///folder, " +
  "or nothing for an embedded database in a folder";

/** Throws StorageOpenError for anything but the allowed forms. An empty text counts as nothing. */
export function parseStorageUrl(url: string | undefined, dataDir: string = DEFAULT_DATA_DIR): StorageLocation {
  if (url === undefined || url === "") return { kind: "folder", folder: dataDir };
  if (url === "memory://") return { kind: "memory" };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "postgres":
    case "postgresql":
      return { kind: "postgres", url, label: labelOf(url) };
    case "file":
      return { kind: "folder", folder: folderOf(url) };
    default:
      throw new StorageOpenError(
        `a database URL cannot ${scheme === undefined ? "be without a scheme" : `start with ${scheme}://`}; ${ALLOWED}`,
      );
  }
}

function labelOf(url: string): string {
  if (!URL.canParse(url)) {
    throw new StorageOpenError(
      `the Postgres URL cannot be parsed: percent-encode special characters of user and password; ${ALLOWED}`,
    );
  }
  const { hostname, port, pathname } = new URL(url);
  return `${hostname === "" ? "localhost" : hostname}:${port === "" ? "5432" : port}${pathname}`;
}

function folderOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new StorageOpenError(`a file URL must name a folder of this machine, as file:///folder; ${ALLOWED}`, {
      cause: error,
    });
  }
}
