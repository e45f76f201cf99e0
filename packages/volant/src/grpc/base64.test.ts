import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, encodeBase64, isBase64 } from "./base64.ts";

test("gRPC detail 17: what is sent carries no padding, and both forms read back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const text = encodeBase64(bytes);
      assert.match(text, /^[A-Za-z0-9+/]*$/);
      const padded = text + "=".repeat((4 - (text.length % 4)) % 4);
      assert.deepEqual(new Uint8Array(decodeBase64(text) ?? []), bytes);
      assert.deepEqual(new Uint8Array(decodeBase64(padded) ?? []), bytes);
    }),
  );
});

test("a view into a larger buffer encodes only its own bytes", () => {
  assert.equal(encodeBase64(new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4)), "AQID");
});

test("gRPC detail 17: what is not base64 is refused as a whole", () => {
  for (const text of ["A", "AAAAA", "AA=", "A===", "AAA==", "A=AA", "====", "AA-_", "AA A", "AA\n", "é"]) {
    assert.equal(isBase64(text), false, JSON.stringify(text));
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
  }
});

test("an empty value is empty bytes", () => {
  assert.equal(encodeBase64(new Uint8Array()), "");
  assert.equal(decodeBase64("")?.byteLength, 0);
});
