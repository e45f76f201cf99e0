// Owns: the allow-matrix of the library's layers, as data. architecture.md, "Layers", says why each arrow exists.
// Must not know: how sources are read and checked (check-layers.ts).
// Invariant: what is not listed is forbidden, a layer may always import itself, and a new folder needs a row.

export interface LayerRule {
  /** Paths below `src/`: a folder ends in `/`, anything else names one file. */
  readonly mayImport: readonly string[];
  /** Packages and built-ins; their subpaths are included. */
  readonly modules: readonly string[];
  /** Bytes in, bytes out: no built-in module, clock, timer, randomness, promise or event emitter. */
  readonly sansIO?: true;
}

const MESSAGES = "@bufbuild/protobuf";
/** The check of option names: it imports nothing, so whoever takes options may use it. */
const OPTION_NAMES = "rpc/option-names.ts";
const SHARED_BY_STREAMS = ["rpc/", "grpc/", "compression/", "transport/"] as const;
const SHARED_BY_ROLES = ["stream/", "protobuf/", "gen/", ...SHARED_BY_STREAMS] as const;
const PUBLIC_FACES = ["server/index.ts", "client/index.ts"] as const;
const SOCKETS = ["node:net", "node:tls"] as const;

export const LAYERS: Readonly<Record<string, LayerRule>> = {
  http2: { mayImport: [], modules: [], sansIO: true },
  grpc: { mayImport: ["http2/error-code.ts"], modules: [], sansIO: true },
  protobuf: { mayImport: [OPTION_NAMES], modules: [MESSAGES] },
  gen: { mayImport: [], modules: [MESSAGES] },
  compression: {
    mayImport: ["grpc/", "rpc/process-state.ts", OPTION_NAMES, "rpc/option-range.ts"],
    modules: ["node:zlib"],
  },
  rpc: { mayImport: ["grpc/", "protobuf/", "gen/"], modules: [MESSAGES, "node:async_hooks"] },
  transport: { mayImport: ["http2/", OPTION_NAMES], modules: [...SOCKETS, "node:timers"] },
  stream: { mayImport: SHARED_BY_STREAMS, modules: [MESSAGES] },
  server: { mayImport: SHARED_BY_ROLES, modules: [MESSAGES, ...SOCKETS] },
  client: { mayImport: SHARED_BY_ROLES, modules: [MESSAGES, ...SOCKETS, "node:dns"] },
  interceptors: { mayImport: ["rpc/", "gen/", ...PUBLIC_FACES], modules: [MESSAGES] },
  "grpc-js": { mayImport: ["rpc/"], modules: [] },
  services: { mayImport: ["rpc/", "gen/", ...PUBLIC_FACES], modules: [MESSAGES] },
};

/** The check of Node's version, which the face of every layer that is an entry point makes first. */
export const RUNTIME_FLOOR = "runtime-floor.ts";

/** The one file that may take timers and clocks from the globals; see its header. */
export const TIME_MODULE = "transport/time.ts";

/** What every other file takes from {@link TIME_MODULE}, since test tools replace the globals. */
export const TIME_NAMES: ReadonlySet<string> = new Set([
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "performance",
  "process.nextTick",
]);

/** Files that replace the globals on purpose. */
export const REPLACES_TIME: ReadonlySet<string> = new Set(["testing/fake-timers.ts", "testing/use-fake-clock.ts"]);

/** Layers of tools over everything. Nothing but tests imports them. */
export const TOOL_LAYERS: ReadonlySet<string> = new Set(["testing", "cli"]);

/** Globals a sans-IO layer must not name; `a.b` is a member of a global. */
export const IMPURE_NAMES: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "process.nextTick",
  "Date",
  "performance",
  "Math.random",
  "crypto",
  "globalThis",
  "Promise",
  "async",
  "await",
  "EventEmitter",
  "EventTarget",
]);
