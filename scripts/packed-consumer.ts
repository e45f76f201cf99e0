// Owns: a folder of a user, into which the packed library is installed from its tarball, and code of a proto is generated.
// Must not know: what is tried there. Needs the npm registry, or what npm has cached of it.

import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildPackage } from "./pack.ts";

export const run = promisify(execFile);
export const repository: string = join(import.meta.dirname, "..");
export const binaries: string = join(repository, "node_modules", ".bin");

export const INSTALL_TIMEOUT_MS = 600_000;

export interface Consumer {
  readonly folder: string;
  /** Name and text of files beside `package.json`. */
  readonly files: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Builds and packs into `folder`; the result is the path of the tarball. */
export async function packLibrary(folder: string): Promise<string> {
  const dist = join(folder, "dist");
  buildPackage(dist);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: dist });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, filename);
}

/** The UserService's code is in `gen/` afterwards. */
export async function installConsumer({ folder, files, devDependencies }: Consumer, tarball: string): Promise<void> {
  mkdirSync(folder);
  const manifest = {
    private: true,
    type: "module",
    allowScripts: { node: true },
    dependencies: { volant: `file:${tarball}`, "@bufbuild/protobuf": "2.17.0" },
    devDependencies,
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, name), source);
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
  const template = {
    version: "v2",
    plugins: [
      {
        local: [join(binaries, "protoc-gen-es")],
        out: join(folder, "gen"),
        opt: ["target=js+dts", "import_extension=js"],
      },
    ],
  };
  await run(join(binaries, "buf"), ["generate", "--template", JSON.stringify(template), "--path", "user.proto"], {
    cwd: join(repository, "proto"),
  });
}
