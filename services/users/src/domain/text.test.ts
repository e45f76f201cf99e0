import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hasControlCharacters, isLongerThan, quoted } from "./text.ts";

describe("text", () => {
  it("is as long as it has code points", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.nat(40), (text, max) => {
        assert.equal(isLongerThan(text, max), [...text].length > max);
      }),
    );
  });

  it("has control characters where a terminal would act on it or a database refuse it", () => {
    for (const text of ["\0", "a\n", "\u001b[31m", "\u007f", "\u0085", "\ud800", "a\udc00b"]) {
      assert.ok(hasControlCharacters(text), JSON.stringify(text));
    }
    for (const text of ["", "Zoë 👩‍💻", "a b", "\u00a0"]) assert.ok(!hasControlCharacters(text), JSON.stringify(text));
  });

  it("is quoted in bounded length, on one line", () => {
    assert.equal(quoted('a"b'), '"a\\"b"');
    assert.equal(quoted("a\nb"), '"a\\nb"');
    assert.ok(quoted("x".repeat(1e6)).length < 80);
  });
});
