// Owns: the certificate of servers that a scenario runs over TLS: made for the run, in a temporary folder that its processes read.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority, type Identity } from "../../packages/volant/test/tls/support/certificates.ts";

export interface TlsFiles {
  /** What a program is told. */
  readonly folder: string;
  remove(): void;
}

export function createTlsFiles(): TlsFiles {
  const folder = mkdtempSync(join(tmpdir(), "bench-tls-"));
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", remove);
  const authority = new Authority();
  const { cert, key } = authority.issue();
  for (const [name, content] of Object.entries({ cert, key, ca: authority.cert }))
    writeFileSync(join(folder, `${name}.pem`), content, { mode: 0o600 });
  return { folder, remove };
}

/** For the server. */
export function readIdentity(folder: string): Identity {
  return { cert: read(folder, "cert"), key: read(folder, "key") };
}

/** For clients that check it. */
export function readAuthority(folder: string): string {
  return read(folder, "ca");
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, `${name}.pem`), "utf8");
}
