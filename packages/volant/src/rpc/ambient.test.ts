import assert from "node:assert/strict";
import { test } from "node:test";
import { ambientCall, detached, runInCall, wantAmbientCall } from "./ambient.ts";
import type { ServerCall } from "./call.ts";

const call = (name: string): ServerCall => ({ name }) as unknown as ServerCall;

test("nothing is ambient before somebody wants it; then the innermost call is, across waits", async () => {
  const [outer, inner] = [call("outer"), call("inner")];
  assert.equal(
    runInCall(outer, () => ambientCall(), undefined),
    undefined,
  );
  wantAmbientCall();
  assert.equal(ambientCall(), undefined);
  const seen = await runInCall(
    outer,
    async (argument) => {
      await Promise.resolve();
      const within = runInCall(inner, ambientCall, undefined);
      return [ambientCall(), within, detached(ambientCall), argument];
    },
    "argument",
  );
  assert.deepEqual(seen, [outer, inner, undefined, "argument"]);
  assert.equal(ambientCall(), undefined);
});
