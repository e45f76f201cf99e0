import assert from "node:assert/strict";
import { test } from "node:test";
import { ENCODINGS } from "./encodings.ts";
import { type CompressionOptions, resolveCompressionOptions } from "./options.ts";

test("by default messages go as they are, and everything that this Node has is accepted", () => {
  const resolved = resolveCompressionOptions();
  assert.equal(resolved.send, undefined);
  assert.equal(resolved.accepted, ENCODINGS);
  assert.match(resolved.acceptEncoding, /^identity,gzip,deflate(,zstd)?$/);
  assert.deepEqual([resolved.minBytes, resolved.offLoopBytes], [1_024, 32_768]);
});

test("identity is always accepted, whether it is listed or not; the order is the user's", () => {
  assert.equal(resolveCompressionOptions({ accept: [] }).acceptEncoding, "identity");
  assert.equal(
    resolveCompressionOptions({ accept: ["deflate", "identity", "gzip"] }).acceptEncoding,
    "identity,deflate,gzip",
  );
  assert.equal(resolveCompressionOptions({ send: "identity" }).send, undefined);
  assert.equal(resolveCompressionOptions({ send: "gzip" }).send, "gzip");
});

test("an illegal option is refused with its name, what was given and what is allowed", () => {
  const cases: readonly (readonly [CompressionOptions, RegExp])[] = [
    [{ send: "br" as "gzip" }, /^compression\.send: "br" given, this Node has identity, gzip/],
    [{ accept: ["gzip", "x-snappy" as "gzip"] }, /^compression\.accept: "x-snappy" given/],
    [{ minBytes: -1 }, /^compression\.minBytes: -1 given, a number 0 or more is allowed$/],
    [{ offLoopBytes: Number.NaN }, /^compression\.offLoopBytes: NaN given/],
  ];
  for (const [options, message] of cases) assert.throws(() => resolveCompressionOptions(options), { message });
});
