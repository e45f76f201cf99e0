// Owns: which code is generated from `proto/`, and how it is made, compared and put in place.
// Invariant: code is always generated into a temporary folder first; what a run of the generator would change is the
// difference between that folder and the tree, so generating and checking for drift cannot disagree.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";

interface Generation {
  /** A buf template in `proto/`. */
  readonly template: string;
  /** The folder of the protos, from the root of the repository. Default `proto`. */
  readonly module?: string;
  /** What it reads: files and folders below the module; none: all of it. */
  readonly inputs: readonly string[];
  /** Where its output goes, from the root of the repository. The folder holds nothing else. */
  readonly output: string;
}

/** A new proto is an input here, or a row with a template of its own. */
export const GENERATIONS: readonly Generation[] = [
  {
    template: "buf.gen.library.yaml",
    inputs: ["google/rpc", "grpc/health", "grpc/reflection"],
    output: "packages/volant/src/gen",
  },
  { template: "buf.gen.users.yaml", inputs: ["user.proto"], output: "services/users/src/gen" },
  {
    template: "buf.gen.lab.yaml",
    module: "packages/volant/test/proto",
    inputs: [],
    output: "packages/volant/test/gen",
  },
  {
    template: "buf.gen.kinds.yaml",
    module: "packages/volant/test/protobuf/proto",
    inputs: [],
    output: "packages/volant/test/protobuf/gen",
  },
  { template: "buf.gen.shapes.yaml", module: "bench/codec/proto", inputs: [], output: "bench/codec/gen" },
  {
    template: "buf.gen.conformance.yaml",
    inputs: ["connectrpc", "grpc/testing", "validate", "xds"],
    output: "conformance/gen",
  },
];

export interface Difference {
  /** From the root of the repository. */
  readonly path: string;
  readonly kind: "missing" | "changed" | "stale";
}

/** Generates everything into `target`, laid out like the repository. */
export function generateInto(repository: string, target: string, generations = GENERATIONS): void {
  const protoFolder = join(repository, "proto");
  const binaries = join(repository, "node_modules", ".bin");
  // Templates give their output relative to `proto/`, so the run's base is a `proto/` beside the output folders.
  mkdirSync(join(target, "proto"), { recursive: true });
  for (const { template, module = "proto", inputs } of generations) {
    const paths = inputs.flatMap((input) => ["--path", input]);
    const from = relative(protoFolder, join(repository, module)) || ".";
    const options = ["--template", template, "-o", join(target, "proto"), ...paths];
    execFileSync(join(binaries, "buf"), ["generate", from, ...options], {
      cwd: protoFolder,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}` },
    });
  }
}

/** What differs between the freshly generated tree and the repository, in the folders that generations own. */
export function compareGenerated(repository: string, generated: string, generations = GENERATIONS): Difference[] {
  return generations.flatMap(({ output }) => {
    const wanted = listFiles(join(generated, output));
    const present = listFiles(join(repository, output));
    const stale = present.filter((path) => !wanted.includes(path));
    return [
      ...wanted.flatMap((path): Difference[] => {
        const kind = classify(join(generated, output, path), join(repository, output, path));
        return kind === undefined ? [] : [{ path: `${output}/${path}`, kind }];
      }),
      ...stale.map((path): Difference => ({ path: `${output}/${path}`, kind: "stale" })),
    ];
  });
}

/** Brings the repository in line; files that are already right are left untouched. */
export function applyGenerated(repository: string, generated: string, differences: readonly Difference[]): void {
  for (const { path, kind } of differences) {
    const destination = join(repository, path);
    if (kind === "stale") {
      rmSync(destination);
      continue;
    }
    mkdirSync(dirname(destination), { recursive: true });
    copyFileSync(join(generated, path), destination);
  }
}

/** Runs `use` on a freshly generated tree and removes the tree. */
export function withGenerated<T>(repository: string, use: (generated: string) => T): T {
  const target = realpathSync(mkdtempSync(join(tmpdir(), "generate-")));
  try {
    generateInto(repository, target);
    return use(target);
  } finally {
    rmSync(target, { recursive: true });
  }
}

function classify(generated: string, present: string): "missing" | "changed" | undefined {
  if (!existsSync(present)) return "missing";
  return readFileSync(generated).equals(readFileSync(present)) ? undefined : "changed";
}

function listFiles(folder: string): string[] {
  return globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
