/** Which ids go together, and when. Queries here are answered when the test says so. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Requester } from "./requester.ts";
import { UserFinder } from "./user-finder.ts";

interface Query {
  readonly ids: readonly string[];
  answer(ids?: readonly string[]): void;
  fail(error: Error): void;
}

function finderOf(maxIds: number) {
  const queries: Query[] = [];
  const finder = new UserFinder(maxIds, (ids) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ id: string }[]>();
    queries.push({ ids, answer: (found = ids) => resolve(found.map((id) => ({ id }))), fail: reject });
    return promise;
  });
  return { finder, queries };
}

/** Resolves after everything that only waits for promises, and after what was put off to the end of the turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const from = (group: string, signal?: AbortSignal): Requester => ({ group, member: group, signal });

describe("finding users", () => {
  it("makes one query of what is asked in a turn, and answers each with its own", async () => {
    const { finder, queries } = finderOf(10);
    const found = ["a", "b", "a", "c"].map((id) => finder.find(id, from("x")));
    await turn();
    assert.deepEqual(
      queries.map(({ ids }) => ids),
      [["a", "b", "a", "c"]],
    );
    queries[0]?.answer(["c", "a"]);
    assert.deepEqual(await Promise.all(found), [{ id: "a" }, undefined, { id: "a" }, { id: "c" }]);
  });

  it("has four queries under way at most, and gathers for the next what comes meanwhile", async () => {
    const { finder, queries } = finderOf(10);
    for (let n = 0; n < 7; n++) {
      void finder.find(`${n}`, from("x"));
      await turn();
    }
    assert.deepEqual(
      queries.map(({ ids }) => ids),
      [["0"], ["1"], ["2"], ["3"]],
    );
    queries[2]?.answer();
    await turn();
    assert.deepEqual(queries[4]?.ids, ["4", "5", "6"]);
  });

  it("takes ids by turns of those who ask, so that one id is not behind thousands", async () => {
    const { finder, queries } = finderOf(2);
    for (let n = 0; n < 5000; n++) void finder.find(`crowd ${n}`, from("crowd"));
    const other = finder.find("other", from("other"));
    await turn();
    assert.deepEqual(queries[0]?.ids, ["crowd 0", "other"]);
    queries[0]?.answer();
    assert.deepEqual(await other, { id: "other" });
  });

  it("leaves out what nobody waits for any more", async () => {
    const { finder, queries } = finderOf(10);
    for (let n = 0; n < 4; n++) {
      void finder.find(`busy ${n}`, from("x"));
      await turn();
    }
    const controller = new AbortController();
    const cancelled = Array.from({ length: 100 }, (_, n) => finder.find(`${n}`, from("x", controller.signal)));
    const kept = finder.find("kept", from("x"));
    controller.abort();
    queries[0]?.answer();
    for (const find of cancelled) await assert.rejects(find, { name: "AbortError" });
    assert.deepEqual(queries[4]?.ids, ["kept"]);
    queries[4]?.answer();
    assert.deepEqual(await kept, { id: "kept" });
  });

  it("fails those of a query that fails, and goes on", async () => {
    const { finder, queries } = finderOf(1);
    const found = Array.from({ length: 5 }, (_, n) => finder.find(`${n}`, from("x")));
    const failed = assert.rejects(found[0] as Promise<unknown>, /gone/);
    await turn();
    queries[0]?.fail(new Error("gone"));
    await failed;
    await turn();
    for (const query of queries.slice(1)) query.answer();
    assert.equal((await Promise.all(found.slice(1))).length, 4);
  });
});
