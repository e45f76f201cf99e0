// Owns: the order of a comparison of two trees, what each pair is made of, and that its processes end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Contestant, compareTrees, findOrder, type PairLimits, type Side } from "./compare.ts";

const ignore = (): void => undefined;

const exactly = (count: number): PairLimits => ({ atLeast: count, atMost: count, wantedHalfWidth: 0 });

/** Contestants that note what is done with them and use that much processor time a call. */
function contestants(microsPerCall: Record<Side, number>, trace: string[]) {
  return (side: Side): Promise<Contestant> => {
    const note = (what: string): void => void trace.push(`${side} ${what}`);
    note("starts");
    return Promise.resolve({
      warmUp: async () => note("warms up"),
      measure: async () => {
        note("is measured");
        return { processorMicros: 100 * microsPerCall[side], calls: 100, generatorLoad: 0.5 };
      },
      stop: async () => note("stops"),
    });
  };
}

test("the sides of a pair alternate A B B A, and the next pair begins with the other side", () => {
  const letters = (index: number): string =>
    findOrder(index)
      .map((side) => side[0]!)
      .join("");
  assert.deepEqual([letters(0), letters(1), letters(2)], ["ottootto", "toottoot", "ottootto"]);
});

test("each pair has processes of its own, warmed up before the first measurement and stopped after the last", async () => {
  const trace: string[] = [];
  await compareTrees(exactly(1), contestants({ ours: 1, theirs: 1 }, trace), ignore);
  assert.deepEqual(trace.slice(0, 4), ["ours starts", "ours warms up", "theirs starts", "theirs warms up"]);
  assert.deepEqual(trace.slice(-2), ["ours stops", "theirs stops"]);
  assert.equal(trace.filter((line) => line === "ours is measured").length, 4);
  assert.equal(trace.filter((line) => line === "theirs is measured").length, 4);
});

test("a tree that uses less processor time a call has a ratio above one", async () => {
  const seen: number[] = [];
  const result = await compareTrees(
    exactly(3),
    contestants({ ours: 2, theirs: 3 }, []),
    ({ ratio }) => void seen.push(ratio),
  );
  assert.deepEqual(seen, [1.5, 1.5, 1.5]);
  assert.deepEqual([result.ours, result.theirs, result.ratio], [2, 3, 1.5]);
  assert.deepEqual([result.interval, result.generatorLoad], [{ low: 1.5, high: 1.5 }, 0.5]);
});

test("one slice that something else on the machine made slow does not decide a pair", async () => {
  let slices = 0;
  const start = contestants({ ours: 2, theirs: 2 }, []);
  const result = await compareTrees(
    exactly(1),
    async (side) => {
      const contestant = await start(side);
      const measure = async () => {
        const slice = await contestant.measure();
        return slices++ === 0 ? { ...slice, processorMicros: 10 * slice.processorMicros } : slice;
      };
      return { ...contestant, measure };
    },
    ignore,
  );
  assert.equal(result.ratio, 1);
});

test("processes of a pair are stopped where the other side does not start", async () => {
  const trace: string[] = [];
  const start = contestants({ ours: 1, theirs: 1 }, trace);
  const failing = (side: Side): Promise<Contestant> =>
    side === "theirs" ? Promise.reject(new Error("it does not start")) : start(side);
  await assert.rejects(compareTrees(exactly(1), failing, ignore), /does not start/);
  assert.equal(trace.at(-1), "ours stops");
});

test("pairs are added while the interval is wider than wanted, up to a limit, and whatever the ratio is", async () => {
  const limits: PairLimits = { atLeast: 4, atMost: 9, wantedHalfWidth: 0.02 };
  const countPairs = async (theirs: readonly number[]): Promise<number> => {
    let pair = 0;
    const start = (side: Side): Promise<Contestant> =>
      contestants({ ours: 1, theirs: theirs[Math.floor(pair++ / 2) % theirs.length]! }, [])(side);
    return (await compareTrees(limits, start, ignore)).pairs.length;
  };
  assert.equal(await countPairs([0.8]), 4);
  assert.equal(await countPairs([0.7, 1.3]), 9);
});
