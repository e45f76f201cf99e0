// Owns: how the library's workspace manifest becomes the one that is published.
// Must not know: how the code is built (pack.ts).
// Invariant: every entry point of the workspace is published under the same name, and nothing else is.

/** The fields of `packages/volant/package.json` that are read here. */
export interface WorkspaceManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  /** Entry point → TypeScript source, `./src/….ts`. */
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>;
}

const SOURCE = /^\.\/src\/(.+)\.ts$/;

/** The source files of all entry points, relative to the package. */
export function listEntrySources(manifest: WorkspaceManifest): string[] {
  return Object.values(manifest.exports).map((source) => {
    if (!SOURCE.test(source)) throw new Error(`exports must point at ./src/….ts, not at ${source}`);
    return source.slice("./".length);
  });
}

/** The manifest for `dist/`, whose files lie where `src/` had them. */
export function createPublishedManifest(manifest: WorkspaceManifest): Record<string, unknown> {
  const { name, version, description, license, engines, dependencies, peerDependencies, peerDependenciesMeta } =
    manifest;
  const entries = Object.entries(manifest.exports).map(([entry, source]) => {
    const path = source.replace(SOURCE, "./$1");
    // `default` and not `import`: Node's require() loads the same modules, so there is one copy of each class.
    return [entry, { types: `${path}.d.ts`, default: `${path}.js` }] as const;
  });
  return {
    name,
    version,
    description,
    keywords: ["grpc", "http2", "rpc", "protobuf"],
    license,
    type: "module",
    // The check of Node's version is an import for its effect, which a bundler would leave out.
    sideEffects: ["./runtime-floor.js"],
    engines,
    exports: { ...Object.fromEntries(entries), "./package.json": "./package.json" },
    files: ["**/*.js", "**/*.d.ts", "**/*.map", "src/**/*.ts"],
    ...(dependencies && { dependencies: withCaretRanges(dependencies) }),
    ...(peerDependencies && { peerDependencies }),
    ...(peerDependenciesMeta && { peerDependenciesMeta }),
  };
}

// The workspace pins exact versions. A published library must leave room: users share one copy of the message runtime
// with their generated code, and two copies would not recognise each other's messages.
function withCaretRanges(dependencies: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, version]) => [name, /^\d/.test(version) ? `^${version}` : version]),
  );
}
