// Owns: `npm run check`'s proof that the library's sources keep to the allow-matrix of layers.ts.
// Must not know: the matrix itself, or how TypeScript is tokenized (source-tokens.ts).
// Invariant: type-only imports count as arrows but not towards cycles; test files are bound by neither.

import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { IMPURE_NAMES, LAYERS, REPLACES_TIME, RUNTIME_FLOOR, TIME_MODULE, TIME_NAMES, TOOL_LAYERS } from "./layers.ts";
import { findImports, type ImportSite, isProperty, type Token, tokenize } from "./source-tokens.ts";

interface Module {
  /** Relative to the source folder, with forward slashes. */
  readonly path: string;
  /** The first folder of `path`; undefined for the entry points directly in the source folder. */
  readonly layer: string | undefined;
  readonly imports: readonly ImportSite[];
  readonly tokens: readonly Token[];
}

/** Every violation below `sourceFolder`, as `file:line message`; files are given relative to that folder. */
export function findViolations(sourceFolder: string): string[] {
  const modules = globSync("**/*.ts", { cwd: sourceFolder })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !path.endsWith(".test.ts"))
    .sort()
    .map((path) => readModule(sourceFolder, path));
  return [
    ...modules.flatMap(checkArrows),
    ...modules.flatMap(checkPurity),
    ...modules.flatMap(checkTime),
    ...findCycles(modules),
  ];
}

function readModule(sourceFolder: string, path: string): Module {
  const tokens = tokenize(readFileSync(join(sourceFolder, path), "utf8"));
  return { path, layer: layerOf(path), imports: findImports(tokens), tokens };
}

function layerOf(path: string): string | undefined {
  const slash = path.indexOf("/");
  return slash === -1 ? undefined : path.slice(0, slash);
}

function resolveImport(from: Module, site: ImportSite): string | undefined {
  return site.specifier.startsWith(".") ? posix.join(posix.dirname(from.path), site.specifier) : undefined;
}

function checkArrows(module: Module): string[] {
  const { path, layer } = module;
  if (layer !== undefined && TOOL_LAYERS.has(layer)) return [];
  if (layer !== undefined && !Object.hasOwn(LAYERS, layer))
    return [`${path}:1 layer ${layer} has no row in scripts/layers.ts: say there what it may import`];
  return module.imports.flatMap((site) => {
    const reason = refuseImport(module, site);
    return reason === undefined ? [] : [`${path}:${site.line} imports ${site.specifier}: ${reason}`];
  });
}

function refuseImport(module: Module, site: ImportSite): string | undefined {
  const target = resolveImport(module, site);
  const from = module.layer === undefined ? "an entry point" : `layer ${module.layer}`;
  const rule = module.layer === undefined ? undefined : LAYERS[module.layer];
  if (target === undefined) {
    const allowed = rule?.modules.some((name) => site.specifier === name || site.specifier.startsWith(`${name}/`));
    return rule === undefined || allowed ? undefined : `${from} may not import the module ${site.specifier}`;
  }
  if (target.startsWith("../")) return `${from} may not leave the library's sources`;
  const targetLayer = layerOf(target);
  if (targetLayer !== undefined && TOOL_LAYERS.has(targetLayer))
    return `${from} may not import ${targetLayer}, only tests do`;
  if (rule === undefined || targetLayer === module.layer) return undefined;
  if (target === RUNTIME_FLOOR && posix.basename(module.path) === "index.ts") return undefined;
  if (rule.mayImport.some((allowed) => (allowed.endsWith("/") ? target.startsWith(allowed) : target === allowed)))
    return undefined;
  return `${from} may not import ${targetLayer ?? "the entry points"}`;
}

function checkPurity(module: Module): string[] {
  if (module.layer === undefined || LAYERS[module.layer]?.sansIO !== true) return [];
  return module.tokens.flatMap((token, index) => {
    if (token.kind !== "word" || isProperty(module.tokens, index)) return [];
    const member = `${token.text}.${module.tokens[index + 2]?.text}`;
    const name = IMPURE_NAMES.has(token.text) ? token.text : member;
    if (!IMPURE_NAMES.has(name)) return [];
    return [`${module.path}:${token.line} uses ${name}: layer ${module.layer} has no I/O and no clock`];
  });
}

const TIME_EXPORTS = /^(?:set|clear|queue)/;

/** Timers and clocks come from the one module that took the real ones. */
function checkTime(module: Module): string[] {
  if (module.path === TIME_MODULE || REPLACES_TIME.has(module.path)) return [];
  if (module.layer !== undefined && LAYERS[module.layer]?.sansIO === true) return [];
  const importsTime = module.imports.some((site) => resolveImport(module, site) === TIME_MODULE);
  return module.tokens.flatMap((token, index) => {
    if (token.kind !== "word" || isProperty(module.tokens, index)) return [];
    const name = [token.text, `${token.text}.${module.tokens[index + 2]?.text}`].find((text) => TIME_NAMES.has(text));
    if (name === undefined || (importsTime && TIME_EXPORTS.test(name))) return [];
    return [`${module.path}:${token.line} uses the global ${name}: take it from ${TIME_MODULE}`];
  });
}

/** One message per import that closes a way round, naming it. */
function findCycles(modules: readonly Module[]): string[] {
  const edges = new Map<string, Map<string, number>>();
  for (const module of modules) {
    const targets = new Map<string, number>();
    for (const site of module.imports) {
      const target = resolveImport(module, site);
      if (target !== undefined && site.kind === "value" && !targets.has(target)) targets.set(target, site.line);
    }
    edges.set(module.path, targets);
  }

  const cycles: string[] = [];
  const settled = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const round = trail.slice(start);
      const line = edges.get(path)?.get(round[1] ?? path) ?? 1;
      cycles.push(`${path}:${line} import cycle: ${[...round, path].join(" → ")}`);
      return;
    }
    if (settled.has(path)) return;
    trail.push(path);
    for (const target of edges.get(path)?.keys() ?? []) visit(target);
    trail.pop();
    settled.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return cycles;
}

if (import.meta.main) {
  const sourceFolder = "packages/volant/src";
  const violations = findViolations(join(import.meta.dirname, "..", sourceFolder));
  for (const violation of violations) console.error(`${sourceFolder}/${violation}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
