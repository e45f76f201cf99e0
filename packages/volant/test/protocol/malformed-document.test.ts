import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MALFORMED_FILE, renderMalformed } from "./malformed-document.ts";

test("docs/malformed-requests.md is what the list says; malformed-document.ts writes it anew", () => {
  assert.equal(readFileSync(MALFORMED_FILE, "utf8"), renderMalformed());
});
