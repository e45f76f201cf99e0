import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CUT_MARK, decodeStatusMessage, encodeCutMessage, encodeStatusMessage } from "./percent.ts";

test("gRPC detail 1: 0x20-0x24 and 0x26-0x7E travel as they are, every other octet as %XX", () => {
  assert.equal(encodeStatusMessage("User 42 not found! ~$"), "User 42 not found! ~$");
  assert.equal(encodeStatusMessage("100%"), "100%25");
  assert.equal(encodeStatusMessage("a\tb\r\nc\x7f\0"), "a%09b%0D%0Ac%7F%00");
  assert.equal(encodeStatusMessage("é☕😀"), "%C3%A9%E2%98%95%F0%9F%98%80");
});

test("gRPC detail 1: encode then decode is identity, and the wire form is printable ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const encoded = encodeStatusMessage(text);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.equal(decodeStatusMessage(encoded), text.toWellFormed());
    }),
  );
});

test("RFC 9113 §8.2.1 the value never starts or ends with a space", () => {
  assert.equal(encodeStatusMessage(" a b "), "%20a b%20");
  assert.equal(encodeStatusMessage(" "), "%20");
  assert.equal(encodeStatusMessage("  "), "%20%20");
  assert.equal(decodeStatusMessage("%20a b%20"), " a b ");
});

test("a lone surrogate becomes U+FFFD instead of failing the call", () => {
  assert.equal(encodeStatusMessage("a\ud800b"), "a%EF%BF%BDb");
});

test("gRPC detail 1: the decoder keeps a broken %", () => {
  for (const text of ["%", "100%", "%4", "%zz", "%4g", "%g4", "% 41", "a%%"])
    assert.equal(decodeStatusMessage(text), text);
  assert.equal(decodeStatusMessage("%%41%"), "%A%");
});

test("gRPC detail 1: hexadecimal digits count in both cases", () => {
  assert.equal(decodeStatusMessage("%c3%A9%2f%5A%5a"), "é/ZZ");
});

test("gRPC detail 1: the decoder never fails: any octets give a text", () => {
  assert.equal(decodeStatusMessage("%ff%fe"), "\ufffd\ufffd");
  assert.equal(decodeStatusMessage("\xc3\xa9 raw utf-8"), "é raw utf-8");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(typeof decodeStatusMessage(Buffer.from(bytes).toString("latin1")), "string");
    }),
  );
});

test("a message that is cut keeps to its room, breaks no character, and is the beginning of the text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("", " ", "%%%", "\u{1F600}\ud800é"),
  );
  fc.assert(
    fc.property(text, fc.nat({ max: 200 }), (message, room) => {
      const cut = encodeCutMessage(message, room);
      assert.equal(cut === undefined, room < CUT_MARK.length);
      if (cut === undefined) return;
      assert.ok(cut.value.length <= room, `${cut.value.length} bytes in ${room}`);
      const decoded = decodeStatusMessage(cut.value);
      assert.equal(decoded, message.slice(0, cut.characters).toWellFormed() + CUT_MARK);
      const isPairBroken = (message.codePointAt(cut.characters - 1) ?? 0) > 0xffff;
      assert.equal(isPairBroken, false);
    }),
  );
  assert.deepEqual(encodeCutMessage("abc".repeat(100), 20), { value: `abcabcabcabc${CUT_MARK}`, characters: 12 });
  assert.deepEqual(encodeCutMessage("é".repeat(100), 20), { value: `%C3%A9%C3%A9${CUT_MARK}`, characters: 2 });
});
