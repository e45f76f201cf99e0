// Owns: `npm run pack`, which builds `packages/volant/dist`, the folder that is published.
// Must not know: what the entry points are (package-manifest.ts derives them from the workspace manifest).
// Invariants: dist holds exactly what the entry points reach, so tests and fixtures cannot slip into a release; every path
// in a source map leads to a file of the package.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { createPublishedManifest, listEntrySources, type WorkspaceManifest } from "./package-manifest.ts";

const repository = join(import.meta.dirname, "..");
const packageFolder = join(repository, "packages", "volant");

/** Builds the library into `output`, replacing what is there. */
export function buildPackage(output: string): void {
  const manifest = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as WorkspaceManifest;
  const entries = listEntrySources(manifest).map((source) => join(packageFolder, source));
  const missing = entries.filter((entry) => !existsSync(entry));
  if (missing.length > 0) throw new Error(`exports name files that do not exist: ${missing.join(", ")}`);

  rmSync(output, { recursive: true, force: true });
  compile(entries, output);
  rewriteDeclarationImports(output);
  shipSources(output);
  writeFileSync(join(output, "package.json"), `${JSON.stringify(createPublishedManifest(manifest), null, 2)}\n`);
  const readme = [packageFolder, repository]
    .map((folder) => join(folder, "README.md"))
    .find((path) => existsSync(path));
  if (readme !== undefined) copyFileSync(readme, join(output, "README.md"));
  copyFileSync(join(repository, "LICENSE"), join(output, "LICENSE"));
}

function compile(entries: readonly string[], output: string): void {
  const folder = mkdtempSync(join(tmpdir(), "pack-"));
  const project = {
    extends: join(repository, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      // A type error in what is published stops the release.
      noEmitOnError: true,
      rewriteRelativeImportExtensions: true,
      declaration: true,
      declarationMap: true,
      sourceMap: true,
      rootDir: join(packageFolder, "src"),
      outDir: output,
      typeRoots: [join(repository, "node_modules", "@types")],
    },
    files: entries,
    include: [],
  };
  try {
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
    execFileSync(join(repository, "node_modules", ".bin", "tsc"), ["-p", folder], {
      cwd: repository,
      stdio: ["ignore", 2, 2],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The compiler rewrites `./x.ts` to `./x.js` in code only. Declarations are rewritten too, because not every tool that reads
// them finds `x.d.ts` behind `./x.ts`.
function rewriteDeclarationImports(output: string): void {
  for (const path of globSync("**/*.d.ts", { cwd: output })) {
    const declarations = readFileSync(join(output, path), "utf8");
    writeFileSync(
      join(output, path),
      declarations.replaceAll(/(\b(?:from |import |import\()"\.[^"\n]*)\.ts"/g, '$1.js"'),
    );
  }
}

/**
 * Puts each source beside its build, under `src/`, and points the maps there: stack traces, debuggers and "go to
 * definition" show the TypeScript.
 */
function shipSources(output: string): void {
  for (const path of globSync("**/*.map", { cwd: output })) {
    const source = join("src", path.replace(/(?:\.d\.ts|\.js)\.map$/, ".ts"));
    const map = JSON.parse(readFileSync(join(output, path), "utf8")) as Record<string, unknown>;
    const from = relative(dirname(path), source).split(sep).join("/");
    writeFileSync(join(output, path), JSON.stringify({ ...map, sources: [from] }));
    mkdirSync(dirname(join(output, source)), { recursive: true });
    copyFileSync(join(packageFolder, source), join(output, source));
  }
}

if (import.meta.main) {
  const output = join(packageFolder, "dist");
  buildPackage(output);
  console.log(`built ${output}; publish it with: npm publish packages/volant/dist --provenance`);
}
