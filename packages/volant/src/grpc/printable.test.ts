import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, quote } from "./printable.ts";

test("control characters, escape sequences and what turns text around are escaped; everything else stays", () => {
  const dangerous = [
    ...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 0x09 && code !== 0x0a),
    ...Array.from({ length: 33 }, (_, at) => 0x7f + at),
    ...[0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069],
  ];
  for (const code of dangerous) {
    const escaped = `\\u${code.toString(16).padStart(4, "0")}`;
    assert.equal(printable(`a${String.fromCharCode(code)}b`), `a${escaped}b`);
    assert.equal(JSON.parse(`"${printable(String.fromCharCode(code))}"`), String.fromCharCode(code));
  }
  for (const text of ["", "plain", "two\nlines\tand a tab", "\u00a0\u00ff\u0101", "niño 💡 שלום مرحبا", "\\u001b"]) {
    assert.equal(printable(text), text);
  }
  assert.equal(printable("\x1b[31m\x1b[2J"), "\\u001b[31m\\u001b[2J");
});

test("a peer's text in a sentence is one line in quotes, and cut", () => {
  assert.equal(quote("text/html"), '"text/html"');
  assert.equal(quote('a"\n\x1b\x9b'), '"a\\"\\n\\u001b\\u009b"');
  assert.equal(quote("x".repeat(65)), `"${"x".repeat(64)}…"`);
});
