// Owns: the proof that no page leads nowhere: links, their anchors, and paths in backticks.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import {
  anchorsOf,
  type Document,
  linksOf,
  listDocuments,
  listFiles,
  pathsOf,
  REPOSITORY,
  sourcesOf,
} from "./documents.ts";

/** Made by a command, and not there in a fresh clone. */
const GENERATED: ReadonlySet<string> = new Set(["packages/volant/dist"]);
/** They stand for any name. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(["x.test.ts", "examples/NAME.ts"]);
const SOURCES = listFiles("*.ts");

function isBroken({ path, text }: Document, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const file = join(REPOSITORY, dirname(path), target);
  if (target !== "" && !existsSync(file)) return true;
  if (anchor === undefined) return false;
  return !anchorsOf(target === "" ? text : readFileSync(file, "utf8")).has(anchor);
}

function isMissing(path: string): boolean {
  return !GENERATED.has(path) && !PLACEHOLDERS.has(path) && !existsSync(join(REPOSITORY, path));
}

function isUnknown(source: string): boolean {
  return !PLACEHOLDERS.has(source) && !SOURCES.some((path) => path === source || path.endsWith(`/${source}`));
}

for (const document of listDocuments()) {
  test(`${document.path}: every link and path leads somewhere`, () => {
    const links = linksOf(document.text).filter((link) => isBroken(document, link));
    assert.deepEqual(links, [], "links to what is not there");
    assert.deepEqual(pathsOf(document.text).filter(isMissing), [], "paths of what is not there");
    assert.deepEqual(sourcesOf(document.text).filter(isUnknown), [], "modules that are not there");
  });
}

test("the README leads to every page of docs", () => {
  const documents = listDocuments();
  const readme = documents.find(({ path }) => path === "README.md")!;
  const linked = new Set(linksOf(readme.text));
  const pages = documents.map(({ path }) => path).filter((path) => /^docs\/[^/]+\.md$/.test(path));
  assert.deepEqual(
    pages.filter((path) => !linked.has(path)),
    [],
  );
});

test("links and paths are found outside of code, and broken ones are told", () => {
  const text =
    "# A page\n[a](x.md) [b](#a-page) [c](https://h/x.md) `[d](y.md)` `scripts/none.ts`\n```ts\n[e](z.md)\n```\n";
  assert.deepEqual(linksOf(text), ["x.md", "#a-page"]);
  assert.deepEqual(pathsOf(text), ["scripts/none.ts"]);
  assert.deepEqual(sourcesOf(text), ["scripts/none.ts"]);
  assert.deepEqual(["scripts/none.ts", "scripts/documents.ts"].map(isMissing), [true, false]);
  assert.deepEqual(["none.ts", "documents.ts", "ments.ts"].map(isUnknown), [true, false, true]);
  const page = { path: "docs/page.md", text };
  assert.equal(isBroken(page, "x.md"), true);
  assert.equal(isBroken(page, "#a-page"), false);
  assert.equal(isBroken(page, "#another"), true);
  assert.equal(isBroken(page, "../README.md"), false);
  assert.equal(isBroken(page, "../README.md#no-such-heading"), true);
});
