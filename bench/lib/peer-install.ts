// Owns: making a peer runnable. Peers live in `bench/peers/NAME` with a manifest and a lock file of their own, outside the
// workspaces, so that nobody who only works on the library downloads them.

import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

const PEERS = join(import.meta.dirname, "..", "peers");

/** Installs a peer if its lock file is newer than what is installed. Returns its folder. */
export function installPeer(name: string): string {
  const folder = join(PEERS, name);
  const installed = statSync(join(folder, "node_modules", ".package-lock.json"), { throwIfNoEntry: false });
  if (installed !== undefined && installed.mtimeMs >= statSync(join(folder, "package-lock.json")).mtimeMs)
    return folder;
  process.stderr.write(`installing bench/peers/${name}\n`);
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
  return folder;
}
