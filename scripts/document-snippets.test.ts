// Owns: the proof that programs shown in pages fit the library: names that are imported, options, methods, their types.
// Names that a page leaves to its reader (`users`, `handlers`, modules of their own) may be missing; nothing else may.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Document, listDocuments, REPOSITORY, snippetsOf } from "./documents.ts";

const tsc = join(REPOSITORY, "node_modules", ".bin", "tsc");
const userCode = join(REPOSITORY, "services", "users", "src", "gen", "user_pb.ts");
const SHOWN_AT = ["gen/user_pb.ts", "services/users/src/gen/user_pb.ts"];

/** Cannot find name, module, value of a shorthand property; with a suggestion; names of test runners. */
const LEFT_TO_THE_READER = new Set(["TS2304", "TS2307", "TS18004", "TS2552", "TS2582", "TS2503"]);

/** What the compiler says against the snippets, by page and line. */
function checkSnippets(documents: readonly Document[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "volant-documents-"));
  try {
    writeProject(folder);
    const origins = new Map<string, { readonly path: string; readonly line: number }>();
    for (const { path, text } of documents) {
      for (const { language, line, code } of snippetsOf(text)) {
        if (language !== "ts") continue;
        const file = `${path.replaceAll(/\W/g, "_")}_${line}.ts`;
        origins.set(file, { path, line });
        // On the first line, so that line numbers stay: a module may await at its top.
        writeFileSync(join(folder, file), `export {};${code.replaceAll("…", "")}`);
      }
    }
    const { stdout, error } = spawnSync(tsc, ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
    if (error !== undefined) throw error;
    return stdout.split("\n").flatMap((text) => {
      const [, file, line, code, message] = /^(.*)\((\d+),\d+\): error (TS\d+): (.*)$/.exec(text) ?? [];
      if (code === undefined || LEFT_TO_THE_READER.has(code)) return [];
      const origin = origins.get(file!);
      return [origin === undefined ? text : `${origin.path}:${origin.line + Number(line) - 1} ${code} ${message}`];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeProject(folder: string): void {
  const compilerOptions = {
    noImplicitAny: false,
    noImplicitReturns: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    useUnknownInCatchVariables: false,
  };
  const config = { extends: join(REPOSITORY, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"), "dir");
  for (const place of SHOWN_AT) {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), `export * from ${JSON.stringify(userCode)};\n`);
  }
}

test("the programs in every page fit the library as it is", () => {
  assert.deepEqual(checkSnippets(listDocuments()), []);
});

test("a name, an option, a method and a field that the library does not have are told with their line", () => {
  const code = [
    'import { Channel, createClient, Pool } from "volant";',
    'import { UserService } from "./gen/user_pb.ts";',
    "const channel = new Channel(target, { poolSize: 4 });",
    "const users = createClient(UserService, channel);",
    'await users.fetchUser({ userId: "1" });',
    "await users.getUser({ id: 1 });",
    "await theReadersOwn.thing();",
  ];
  const faults = checkSnippets([{ path: "page.md", text: `# Page\n\n\`\`\`ts\n${code.join("\n")}\n\`\`\`\n` }]);
  assert.deepEqual(
    faults.map((fault) => fault.split(" ", 2).join(" ")),
    ["page.md:4 TS2305", "page.md:6 TS2353", "page.md:8 TS2339", "page.md:9 TS2353"],
  );
});
