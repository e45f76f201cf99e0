/** Order and exclusion at the gate of the one session. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { TurnGate } from "./turn-gate.ts";

it("free statements start at once, and side by side", async () => {
  const gate = new TurnGate();
  const started: string[] = [];
  const first = Promise.withResolvers<void>();
  const a = gate.pass(() => {
    started.push("a");
    return first.promise;
  });
  const b = gate.pass(async () => started.push("b"));
  assert.deepEqual(started, ["a", "b"]);
  first.resolve();
  await Promise.all([a, b]);
});

it("what fails lets the next one in", async () => {
  const gate = new TurnGate();
  const failing = gate.hold(() => Promise.reject(new Error("failed")));
  const next = gate.hold(async () => "next");
  await assert.rejects(failing, /failed/);
  assert.equal(await next, "next");
  assert.equal(await gate.pass(async () => "free"), "free");
});

it("any mixture starts in the order it came, and nothing starts while another holds", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.boolean(), { maxLength: 30 }),
    fc.scheduler(),
    async (kinds, scheduler) => {
      const gate = new TurnGate();
      const started: number[] = [];
      let holder: number | undefined;
      const work = kinds.map((exclusive, index) => {
        const run = async (): Promise<void> => {
          assert.equal(holder, undefined);
          started.push(index);
          if (exclusive) holder = index;
          await scheduler.schedule(Promise.resolve());
          if (exclusive) holder = undefined;
        };
        return exclusive ? gate.hold(run) : gate.pass(run);
      });
      await scheduler.waitFor(Promise.all(work));
      assert.deepEqual(started, [...kinds.keys()]);
    },
  );
  await fc.assert(property);
});
