// Owns: the proof that each rule of the layer check can fail, on fixtures in a temporary folder.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { findViolations } from "./check-layers.ts";
import { IMPURE_NAMES, TIME_NAMES } from "./layers.ts";

function check(t: TestContext, files: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), "layers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  return findViolations(folder);
}

test("an allowed arrow, an import of the own layer and an allowed module pass", (t) => {
  const violations = check(t, {
    "rpc/status.ts":
      'import { a } from "../grpc/status.ts";\nimport { b } from "./b.ts";\nimport { c } from "node:async_hooks";',
    "grpc/status.ts": "export const a = 1;",
    "rpc/b.ts": 'export * from "@bufbuild/protobuf/wkt";',
  });
  assert.deepEqual(violations, []);
});

test("an arrow that the matrix does not list is reported with file, line and both layers", (t) => {
  const violations = check(t, { "transport/tcp.ts": '\nimport { a } from "../rpc/call.ts";' });
  assert.deepEqual(violations, ["transport/tcp.ts:2 imports ../rpc/call.ts: layer transport may not import rpc"]);
});

test("type-only imports, re-exports, side effects and import() are arrows too", (t) => {
  const arrows = [
    'import type { A } from "../client/a.ts";',
    'export { a } from "../client/a.ts";',
    'export type { A } from "../client/a.ts";',
    'export * as a from "../client/a.ts";',
    'import "../client/a.ts";',
    'const a = () => import("../client/a.ts");',
    'import a, { type B, c as d } from "../client/a.ts";',
  ];
  for (const arrow of arrows) assert.equal(check(t, { "server/a.ts": arrow }).length, 1, arrow);
});

test("an arrow to a single file does not open its folder", (t) => {
  const source = 'import { ErrorCode } from "../http2/error-code.ts";\nimport { b } from "../http2/stream.ts";';
  assert.deepEqual(check(t, { "grpc/status.ts": source }), [
    "grpc/status.ts:2 imports ../http2/stream.ts: layer grpc may not import http2",
  ]);
});

test("modules that the matrix does not list are reported, and a prefix of a name is not the name", (t) => {
  const source = 'import "node:zlib";\nimport "node:zlib-next";\nimport "node:fs";';
  assert.deepEqual(check(t, { "compression/a.ts": source }), [
    "compression/a.ts:2 imports node:zlib-next: layer compression may not import the module node:zlib-next",
    "compression/a.ts:3 imports node:fs: layer compression may not import the module node:fs",
  ]);
});

test("a sans-IO layer imports no built-in module and no package", (t) => {
  for (const name of ["node:buffer", "node:events", "@bufbuild/protobuf"])
    for (const layer of ["http2", "grpc"])
      assert.equal(check(t, { [`${layer}/a.ts`]: `import "${name}";` }).length, 1, name);
});

test("a sans-IO layer names no clock, timer, randomness, promise or event emitter", (t) => {
  for (const name of IMPURE_NAMES) {
    const expected = [`http2/a.ts:2 uses ${name}: layer http2 has no I/O and no clock`];
    assert.deepEqual(check(t, { "http2/a.ts": `// ${name}\nvoid ${name};` }), expected);
    if (!TIME_NAMES.has(name))
      assert.deepEqual(check(t, { "transport/a.ts": `void ${name};` }), [], "other layers may");
  }
});

test("names in comments, strings, templates, regular expressions and properties are no use of a global", (t) => {
  const source = [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the fixture is source text
    "/* Promise */ const a = 'Promise' + \"Date\" + `Promise ${a.Date} Promise`; // await",
    "const b = /Promise[/`]/.test(a) ? options.performance : 4 / 2; const c = Math.max(1);",
  ].join("\n");
  assert.deepEqual(check(t, { "http2/a.ts": source }), []);
});

test("code inside a template is read, and so is what follows a regular expression", (t) => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the fixture is source text
  const found = check(t, { "http2/a.ts": "const a = `x ${{ b: `${Date}` }} y`;\nconst b = /[`'\"]/g;\nvoid Promise;" });
  assert.deepEqual(
    found.map((line) => line.split(":")[1]),
    ["1 uses Date", "3 uses Promise"],
  );
});

test("files that import each other are a cycle, named once with the way round", (t) => {
  const violations = check(t, {
    "rpc/a.ts": 'import { b } from "./b.ts";',
    "rpc/b.ts": '\nexport { c } from "./c.ts";',
    "rpc/c.ts": 'import { type A } from "./a.ts";',
  });
  assert.deepEqual(violations, ["rpc/a.ts:1 import cycle: rpc/a.ts → rpc/b.ts → rpc/c.ts → rpc/a.ts"]);
});

test("type-only and lazy imports do not make a cycle", (t) => {
  const violations = check(t, {
    "rpc/a.ts": 'import { b } from "./b.ts";',
    "rpc/b.ts": 'import type { A } from "./a.ts";\nexport const b = () => import("./a.ts");',
  });
  assert.deepEqual(violations, []);
});

test("only tests import testing/, and testing/ imports everything", (t) => {
  const violations = check(t, {
    "testing/index.ts": 'import "../client/b.ts"; import "../server/b.ts"; import "node:fs";',
    "client/a.test.ts": 'import "../testing/index.ts"; import "node:test"; await Promise.resolve();',
    "client/a.ts": 'import "../testing/index.ts";',
    "index.ts": 'export * from "./testing/index.ts";',
  });
  assert.deepEqual(violations, [
    "client/a.ts:1 imports ../testing/index.ts: layer client may not import testing, only tests do",
    "index.ts:1 imports ./testing/index.ts: an entry point may not import testing, only tests do",
  ]);
});

test("no layer imports the entry points or leaves the sources", (t) => {
  const violations = check(t, { "server/a.ts": 'import "../index.ts";\nimport "../../package.json";' });
  assert.deepEqual(violations, [
    "server/a.ts:1 imports ../index.ts: layer server may not import the entry points",
    "server/a.ts:2 imports ../../package.json: layer server may not leave the library's sources",
  ]);
});

test("a folder without a row is reported", (t) => {
  assert.deepEqual(check(t, { "extra/a.ts": "" }), [
    "extra/a.ts:1 layer extra has no row in scripts/layers.ts: say there what it may import",
  ]);
});

test("declarations and exports that re-export nothing are no imports", (t) => {
  const source =
    'export const a = "../client/a.ts";\nexport { a as b };\nexport type C = "../client/a.ts";\nconst from = "x";';
  assert.deepEqual(check(t, { "server/a.ts": source }), []);
});

test("a timer or clock of the globals is reported outside the one module that takes them, and not where it is imported", (t) => {
  const uses = [
    "setTimeout(() => {}, 5);",
    "setImmediate(run);",
    "queueMicrotask(run);",
    "process.nextTick(run);",
    "const now = performance.now();",
  ];
  for (const use of uses) {
    assert.equal(check(t, { "client/a.ts": use }).length, 1, use);
    assert.equal(check(t, { "testing/a.ts": use }).length, 1, use);
    assert.deepEqual(check(t, { "transport/time.ts": use }), [], use);
  }
  const imported = 'import { setTimeout } from "../transport/time.ts";\nsetTimeout(run, 5);\nthis.nextTick();';
  assert.deepEqual(check(t, { "client/a.ts": imported, "transport/time.ts": "" }), []);
  const clock = 'import { monotonicMs } from "../transport/time.ts";\nperformance.now();';
  assert.match(
    check(t, { "client/a.ts": clock, "transport/time.ts": "" }).join(),
    /client\/a\.ts:2 uses the global performance/,
  );
});
