import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readKey } from "./map-keys.ts";
import { readText } from "./text.ts";

test("a key equals the text of its octets, the first time and again", () => {
  const key = fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.constantFrom("", "__proto__", "id", "0", "10"));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
      for (const text of [...keys, ...keys]) {
        const octets = Buffer.from(`<${text}>`);
        assert.equal(readKey(octets, 1, octets.length - 2), text);
      }
    }),
  );
});

test("keys of one length that share their place do not take each other's", () => {
  // The octets that decide on the place are the first, the middle and the last.
  const keys = ["a1b2c", "a3b4c", "a5b6c"];
  for (const key of [...keys, ...keys, ...keys.reverse()]) assert.equal(readKey(Buffer.from(key), 0, key.length), key);
});

test("octets that are not UTF-8 are refused whatever was read before", () => {
  const octets = Buffer.from("team");
  assert.equal(readKey(octets, 0, 4), "team");
  for (let at = 0; at < 4; at++) {
    const broken = Buffer.from(octets);
    broken[at] = 0xff;
    assert.throws(() => readKey(broken, 0, 4), /not valid UTF-8/);
  }
});

test("a key with U+00FF is not taken for the octet 0xff", () => {
  for (const text of ["ÿa", "aÿ", "ÿÿ"]) {
    const octets = Buffer.from(text);
    assert.equal(readKey(octets, 0, octets.length), text);
    assert.throws(() => readText(Buffer.from(text, "latin1"), 0, text.length), /not valid UTF-8/);
    assert.throws(() => readKey(Buffer.from(text, "latin1"), 0, text.length), /not valid UTF-8/);
  }
});
