/** The README's table of variables is a promise to whoever runs the service: it names each one with its default. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { OPTIONS } from "../src/config.ts";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

for (const [name, option] of Object.entries(OPTIONS)) {
  it(`the README documents ${name} and its default`, () => {
    const fallback = "fallback" in option ? `\`${option.fallback}\`` : "not set";
    assert.ok(readme.includes(`| \`${name}\` | ${fallback} | `), `expected a row: | \`${name}\` | ${fallback} | …`);
  });
}
