import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Readiness } from "./readiness.ts";

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 500;

/** On a clock that the test moves. */
function useReadiness(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const lab = {
    changes: [] as [boolean, string | undefined][],
    asked: 0,
    ping: (): Promise<void> => Promise.resolve(),
    /** One interval, and whatever follows from it. */
    async pass(ms = INTERVAL_MS): Promise<void> {
      t.mock.timers.tick(ms);
      for (let count = 0; count < 20; count++) await Promise.resolve();
    },
  };
  const readiness = new Readiness(
    () => {
      lab.asked++;
      return lab.ping();
    },
    { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS },
  );
  readiness.watch((isReady, reason) => lab.changes.push([isReady, reason]));
  t.after(() => readiness.stop());
  readiness.start();
  return { lab, readiness };
}

const failing = (): Promise<void> => Promise.reject(new Error("connection refused"));

describe("readiness", () => {
  it("asks once an interval and tells nothing while all is well", async (t) => {
    const { lab } = useReadiness(t);
    for (let count = 0; count < 5; count++) await lab.pass();
    assert.equal(lab.asked, 5);
    assert.deepEqual(lab.changes, []);
  });

  it("goes after two failures in a row, once, with the reason, and comes back with the first answer", async (t) => {
    const { lab } = useReadiness(t);
    lab.ping = failing;
    await lab.pass();
    assert.deepEqual(lab.changes, []);
    await lab.pass();
    await lab.pass();
    assert.deepEqual(lab.changes, [[false, "connection refused"]]);
    lab.ping = () => Promise.resolve();
    await lab.pass();
    assert.deepEqual(lab.changes.at(-1), [true, undefined]);
  });

  it("stays when failures are not in a row", async (t) => {
    const { lab } = useReadiness(t);
    for (let count = 0; count < 4; count++) {
      lab.ping = count % 2 === 0 ? failing : () => Promise.resolve();
      await lab.pass();
    }
    assert.deepEqual(lab.changes, []);
  });

  it("a storage that hangs counts as failing, and is asked once, until it answers", async (t) => {
    const { lab } = useReadiness(t);
    const answer = Promise.withResolvers<void>();
    lab.ping = () => answer.promise;
    for (let count = 0; count < 3; count++) {
      await lab.pass();
      await lab.pass(TIMEOUT_MS);
    }
    assert.equal(lab.asked, 1);
    assert.deepEqual(lab.changes, [[false, "no answer in 500 ms"]]);
    answer.resolve();
    await lab.pass(0);
    await lab.pass();
    assert.deepEqual(lab.changes.at(-1), [true, undefined]);
  });

  it("says nothing after it was stopped, not even what was being asked", async (t) => {
    const { lab, readiness } = useReadiness(t);
    lab.ping = failing;
    await lab.pass();
    const answer = Promise.withResolvers<void>();
    lab.ping = () => answer.promise;
    await lab.pass();
    readiness.stop();
    answer.reject(new Error("closed"));
    await lab.pass();
    await lab.pass();
    assert.equal(lab.asked, 2);
    assert.deepEqual(lab.changes, []);
  });
});
