/**
 * Sessions worth starting from, as octets in `corpus/<role>-<what>.hex`. Owns their form: hexadecimal, white space
 * ignored, `#` starts a comment.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Role } from "../../packages/volant/src/http2/index.ts";

const FOLDER = join(import.meta.dirname, "corpus");

export interface CorpusEntry {
  readonly name: string;
  /** The role of whoever receives it. */
  readonly role: Role;
  readonly octets: Buffer;
}

export const CORPUS: readonly CorpusEntry[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".hex"))
  .sort()
  .map((name) => ({ name, role: roleOf(name), octets: readHex(name) }));

function roleOf(name: string): Role {
  const role = name.slice(0, name.indexOf("-"));
  if (role !== "server" && role !== "client") throw new Error(`corpus/${name}: a name starts with server- or client-`);
  return role;
}

function readHex(name: string): Buffer {
  const digits = readFileSync(join(FOLDER, name), "latin1").replace(/#.*/g, "").replace(/\s+/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`corpus/${name} is not whole octets in hexadecimal`);
  return Buffer.from(digits, "hex");
}
