/**
 * The HTTP/2 core that a target runs: the one of the tree, or a copy with one edit in it. Owns how a bug is planted; the
 * tree itself is never touched. Must not know any target.
 *
 * An edit names its text, so a change of that file can take it away; then loading fails and says so, rather than fuzz a
 * core without the bug.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as frameReader from "../../packages/volant/src/http2/frame-reader.ts";
import * as headerRules from "../../packages/volant/src/http2/header-rules.ts";
import * as hpack from "../../packages/volant/src/http2/hpack/index.ts";
import * as usage from "../../packages/volant/src/http2/usage-error.ts";
import * as pair from "../../packages/volant/src/testing/connection-pair.ts";
import * as factory from "../../packages/volant/src/testing/frame-factory.ts";

const SOURCES = join(import.meta.dirname, "../../packages/volant/src");
const TEST_KIT = ["connection-pair.ts", "frame-factory.ts", "fake-clock.ts"];

export interface Core {
  readonly frameReader: typeof frameReader;
  readonly headerRules: typeof headerRules;
  readonly hpack: typeof hpack;
  readonly usage: typeof usage;
  readonly pair: typeof pair;
  readonly factory: typeof factory;
}

/** One bug: the text `find`, which the file has exactly once, becomes `replace`. */
export interface Edit {
  /** Below `src/http2`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export type Bugs = Readonly<Record<string, Edit>>;

const ORIGINAL: Core = { frameReader, headerRules, hpack, usage, pair, factory };
const edited = new Map<Edit, Core>();

/** The core with that bug of `bugs`, or without any. */
export function loadCore(bugs: Bugs, bug: string | undefined): Core {
  if (bug === undefined) return ORIGINAL;
  const edit = bugs[bug];
  if (edit === undefined) throw new Error(`no bug is called "${bug}"; there are: ${Object.keys(bugs).join(", ")}`);
  let core = edited.get(edit);
  if (core === undefined) {
    core = loadEdited(edit);
    edited.set(edit, core);
  }
  return core;
}

function loadEdited(edit: Edit): Core {
  const folder = mkdtempSync(join(tmpdir(), "fuzz-core-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    cpSync(join(SOURCES, "http2"), join(folder, "http2"), { recursive: true });
    mkdirSync(join(folder, "testing"));
    for (const name of TEST_KIT) cpSync(join(SOURCES, "testing", name), join(folder, "testing", name));
    applyEdit(join(folder, "http2", edit.file), edit);
    const load = createRequire(join(folder, "package.json"));
    return {
      frameReader: load("./http2/frame-reader.ts") as typeof frameReader,
      headerRules: load("./http2/header-rules.ts") as typeof headerRules,
      hpack: load("./http2/hpack/index.ts") as typeof hpack,
      usage: load("./http2/usage-error.ts") as typeof usage,
      pair: load("./testing/connection-pair.ts") as typeof pair,
      factory: load("./testing/frame-factory.ts") as typeof factory,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function applyEdit(path: string, { file, find, replace }: Edit): void {
  const source = readFileSync(path, "utf8");
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `http2/${file} has ${parts.length - 1} times ${JSON.stringify(find)}: exactly 1 is needed to plant`,
    );
  }
  writeFileSync(path, parts.join(replace));
}
