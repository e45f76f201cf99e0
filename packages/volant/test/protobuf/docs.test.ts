/**
 * docs/codec.md shows the code that is compiled for one type. `UPDATE_DOCS=1` writes it there.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileSource } from "../../src/protobuf/compile.ts";
import { LeafSchema } from "./gen/volant/test/kinds3_pb.ts";

const DOCUMENT = join(import.meta.dirname, "../../../../docs/codec.md");

for (const role of ["encode", "decode"] as const) {
  test(`docs/codec.md shows the ${role}r as it is`, () => {
    const text = readFileSync(DOCUMENT, "utf8");
    const block = new RegExp(`(<!-- emitted: ${role} -->\n\`\`\`js\n)[^]*?(\`\`\`)`);
    assert.match(text, block);
    const updated = text.replace(block, (_, start: string, end: string) => `${start}${functionsFor(role)}${end}`);
    if (process.env.UPDATE_DOCS === "1") writeFileSync(DOCUMENT, updated);
    else assert.equal(text, updated, "run the test with UPDATE_DOCS=1");
  });
}

/** Without the names of the runtime and the constants around them. */
function functionsFor(role: "encode" | "decode"): string {
  const lines = compileSource(LeafSchema, role).source.split("\n");
  const isFrame = (line: string): boolean => /^("use strict"|const |return )/.test(line);
  return lines
    .filter((line) => !isFrame(line))
    .join("\n")
    .concat("\n");
}
