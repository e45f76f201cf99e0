// Owns: the proof that every form a fault or limit has in the core is found, and that disabling it leaves the rest as it was.

import assert from "node:assert/strict";
import { test } from "node:test";
import { disable, findMutationSites } from "./mutate-sites.ts";

function mutants(source: string): string[] {
  return findMutationSites(source).map((site) => disable(source, site));
}

test("a fault behind a condition is never reached, and the condition keeps its side effects", () => {
  assert.deepEqual(mutants("if (!window.take(n)) return this.fail(EXCEEDED);"), [
    "if ((!window.take(n)) && false) return this.fail(EXCEEDED);",
  ]);
  assert.deepEqual(mutants("if (a) {\n  x();\n  return parts.failStream(s, F);\n}"), [
    "if ((a) && false) {\n  x();\n  return parts.failStream(s, F);\n}",
  ]);
});

test("of nested conditions the innermost is disabled, and of a chain each", () => {
  assert.deepEqual(mutants("if (a) { if (b) this.fail(B); }"), ["if (a) { if ((b) && false) this.fail(B); }"]);
  assert.equal(mutants("if (a) this.fail(A);\nelse if (b) this.fail(B);").length, 2);
});

test("a fault as a value lets reading go on, a statement does nothing", () => {
  assert.deepEqual(mutants("return ok || this.fail(TOO_MUCH);"), ["return ok || true;"]);
  assert.deepEqual(mutants("run();\nparts.writeReset(id, code);"), ["run();\nvoid 0;"]);
  assert.deepEqual(mutants('return this.charge("x");'), ["return true;"]);
});

test("a verdict that is returned is not found", () => {
  assert.deepEqual(mutants("if (id === 0) return ON_STREAM_0;"), ["if ((id === 0) && false) return ON_STREAM_0;"]);
  assert.deepEqual(mutants("return n === SIZE_BYTES ? undefined : WRONG_LENGTH;"), [
    "return n === SIZE_BYTES ? undefined : undefined;",
  ]);
});

test("a limit lets everything through, whichever way it is asked", () => {
  assert.deepEqual(mutants("return ++this.used <= this.options.maxUsed;"), [
    "return ((++this.used <= this.options.maxUsed) || true);",
  ]);
  assert.deepEqual(mutants("if (kept.length < MAX_KEPT) kept.push(one);"), [
    "if ((kept.length < MAX_KEPT) || true) kept.push(one);",
  ]);
  assert.deepEqual(mutants("if (size > this.maxBytes) drop();"), ["if ((size > this.maxBytes) && false) drop();"]);
});

test("comments, texts and what only looks like a fault are left alone", () => {
  assert.deepEqual(mutants('// if (a) this.fail(A);\nconst text = "if (a) this.fail(A);";\nif (a) b();'), []);
  assert.deepEqual(mutants("if (!/^[(]$/.test(a)) return MALFORMED;"), [
    "if ((!/^[(]$/.test(a)) && false) return MALFORMED;",
  ]);
});

test("a site has its line and is shown on one line", () => {
  const [site] = findMutationSites("\n\nif (\n  a\n) this.fail(A);");
  assert.deepEqual([site?.line, site?.shown, site?.kind], [3, "( a )", "guard"]);
});
