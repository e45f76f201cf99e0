import assert from "node:assert/strict";
import { test } from "node:test";
import { type Http2Options, resolveHttp2Options } from "./options.ts";
import { UsageError } from "./usage-error.ts";

test("defaults are legal, complete and frozen", () => {
  const resolved = resolveHttp2Options();
  assert.equal(Object.isFrozen(resolved), true);
  assert.deepEqual(resolveHttp2Options(resolved), resolved);
  assert.equal(resolved.maxConcurrentStreams, 100);
});

test("a limit that can be switched off takes Infinity, any other does not", () => {
  assert.equal(resolveHttp2Options({ glitchBurst: Number.POSITIVE_INFINITY }).glitchBurst, Number.POSITIVE_INFINITY);
  assert.throws(() => resolveHttp2Options({ maxFrameBytes: Number.POSITIVE_INFINITY }), UsageError);
});

for (const options of [
  { connectionWindowBytes: 65_534 },
  { maxFrameBytes: 16_383 },
  { maxFrameBytes: 16_777_216 },
  { initialStreamWindowBytes: 0 },
  { initialStreamWindowBytes: 0x8000_0000 },
  { maxConcurrentStreams: 1.5 },
  { maxHeaderFields: Number.NaN },
] as const satisfies Http2Options[]) {
  test(`an illegal option says what was given and what is allowed: ${JSON.stringify(options)}`, () => {
    const [[name, value]] = Object.entries(options) as [[string, number]];
    assert.throws(
      () => resolveHttp2Options(options),
      (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, new RegExp(`^${name}: ${value} given, an integer from \\d+ to \\d+ is allowed$`));
        return true;
      },
    );
  });
}
