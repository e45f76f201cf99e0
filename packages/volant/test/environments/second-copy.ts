/** A second copy of the library in this process, as two versions in one dependency tree are. Owns where it lies. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

const library = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "volant-copy-"));
cpSync(join(library, "src"), join(folder, "src"), { recursive: true });
cpSync(join(library, "package.json"), join(folder, "package.json"));
symlinkSync(join(library, "..", "..", "node_modules"), join(folder, "node_modules"));
after(() => rmSync(folder, { recursive: true }));

/** A module of the copy, by its path below `src/`. */
export async function importFromCopy<Module>(path: string): Promise<Module> {
  return (await import(join(folder, "src", path))) as Module;
}
