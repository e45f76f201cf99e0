import assert from "node:assert/strict";
import { test } from "node:test";
import { type AmbientCall, ambientCall, detached, runInCall, wantAmbientCall } from "./ambient.ts";

const call = (name: string): AmbientCall => ({ name, isOver: false }) as unknown as AmbientCall;

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

test("work that a call leaves behind is no longer its own once that call is over", async () => {
  wantAmbientCall();
  const ending = { isOver: false };
  const left = Promise.withResolvers<void>();
  const seen = runInCall(
    ending as unknown as AmbientCall,
    async () => {
      const during = ambientCall();
      await left.promise;
      return [during, ambientCall()];
    },
    undefined,
  );
  ending.isOver = true;
  left.resolve();
  assert.deepEqual(await seen, [ending, undefined]);
});
