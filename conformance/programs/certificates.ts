/**
 * The certificate of the servers under test, made when it is first asked for, for `localhost` and `127.0.0.1`. Owns no
 * choice of protocol or cipher: those are what the suites look at.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority, type Identity } from "../../packages/volant/test/tls/support/certificates.ts";

export interface TestIdentity extends Identity {
  /** Who issued it. PEM. */
  readonly ca: string;
}

let made: TestIdentity | undefined;

/** One for the whole run. */
export function testIdentity(): TestIdentity {
  if (made === undefined) {
    const authority = new Authority();
    made = { ...authority.issue(), ca: authority.cert };
  }
  return made;
}

/** Files of it, for programs that are not ours. */
export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Certificate and key in one file. */
  readonly both: string;
  remove(): void;
}

export function writeTestIdentity(): IdentityFiles {
  const { cert, key, ca } = testIdentity();
  const folder = mkdtempSync(join(tmpdir(), "conformance-identity-"));
  const write = (name: string, content: string): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  return {
    cert: write("cert.pem", cert),
    key: write("key.pem", key),
    ca: write("ca.pem", ca),
    both: write("both.pem", cert + key),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
