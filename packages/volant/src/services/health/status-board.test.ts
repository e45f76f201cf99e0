import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ServingStatus, StatusBoard } from "./status-board.ts";

const sameText = (status: ServingStatus): string => status;

function watch(board: StatusBoard, name: string): AsyncIterator<string> {
  return board.watch(name, sameText)[Symbol.asyncIterator]();
}

/** What a watcher gives without waiting; undefined where it waits. */
async function ready(step: Promise<IteratorResult<string>>): Promise<IteratorResult<string> | undefined> {
  return Promise.race([step, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]);
}

test("a name is SERVICE_UNKNOWN until it is set or added, and again when it is taken away", () => {
  const board = new StatusBoard();
  assert.equal(board.get("a"), "SERVICE_UNKNOWN");
  board.add("a");
  assert.equal(board.get("a"), "SERVING");
  board.set("a", "SERVICE_UNKNOWN");
  assert.equal(board.get("a"), "SERVICE_UNKNOWN");
  assert.deepEqual([...board.list()], []);
});

test("a status that was set before a name is added stays", () => {
  const board = new StatusBoard();
  board.set("a", "NOT_SERVING");
  board.add("a");
  assert.equal(board.get("a"), "NOT_SERVING");
});

test("names like those of every object's properties are names like others", () => {
  const board = new StatusBoard();
  for (const name of ["__proto__", "constructor", "toString"]) assert.equal(board.get(name), "SERVICE_UNKNOWN");
  board.set("__proto__", "SERVING");
  assert.deepEqual([...board.list()], [["__proto__", "SERVING"]]);
});

test("a watcher gets the status at once, then waits for another", async () => {
  const board = new StatusBoard();
  const watcher = watch(board, "a");
  assert.deepEqual(await watcher.next(), { done: false, value: "SERVICE_UNKNOWN" });
  const next = watcher.next();
  board.set("b", "SERVING");
  board.set("a", "SERVICE_UNKNOWN");
  assert.equal(await ready(next), undefined);
  board.set("a", "SERVING");
  assert.deepEqual(await next, { done: false, value: "SERVING" });
});

test("a watcher that is slow sees the latest only, and nothing where that is what it saw", async () => {
  const board = new StatusBoard();
  board.add("a");
  const watcher = watch(board, "a");
  await watcher.next();
  for (let count = 0; count < 1_000; count++) {
    board.set("a", "NOT_SERVING");
    board.set("a", "SERVICE_UNKNOWN");
  }
  assert.deepEqual(await watcher.next(), { done: false, value: "SERVICE_UNKNOWN" });
  board.set("a", "SERVING");
  board.set("a", "SERVICE_UNKNOWN");
  assert.equal(await ready(watcher.next()), undefined);
});

test("watchers that have gone leave nothing behind, the one that waits gets its end", async () => {
  const board = new StatusBoard();
  const [first, second] = [watch(board, "from a peer"), watch(board, "from a peer")];
  await Promise.all([first.next(), second.next()]);
  const waiting = first.next();
  await first.return?.();
  assert.equal((await waiting).done, true);
  assert.equal(board.watchedCount, 1);
  await second.return?.();
  assert.equal(board.watchedCount, 0);
  assert.equal((await second.next()).done, true);
});

test("a board that is closed serves nothing, tells everyone once, and ends", async () => {
  const board = new StatusBoard();
  board.add("a");
  const [waiting, fresh, unknown] = [watch(board, "a"), watch(board, "a"), watch(board, "b")];
  await waiting.next();
  const last = waiting.next();
  board.close();
  board.set("a", "SERVING");
  assert.equal(board.get("a"), "NOT_SERVING");
  assert.deepEqual(await last, { done: false, value: "NOT_SERVING" });
  assert.equal((await waiting.next()).done, true);
  assert.equal((await fresh.next()).value, "NOT_SERVING");
  assert.equal((await fresh.next()).done, true);
  assert.equal((await unknown.next()).value, "SERVICE_UNKNOWN");
  assert.equal((await unknown.next()).done, true);
  assert.equal(board.watchedCount, 0);
});

test("however changes and reads mix, a watcher never repeats itself and ends with the latest", async () => {
  const status = fc.constantFrom<ServingStatus>("SERVING", "NOT_SERVING", "SERVICE_UNKNOWN");
  const operation = fc.oneof(fc.record({ set: status }), fc.constant({ read: true as const }));
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const board = new StatusBoard();
      const watcher = watch(board, "a");
      const seen: string[] = [];
      let isReading = false;
      const read = (): void => {
        if (isReading) return;
        isReading = true;
        void watcher.next().then(({ value }) => {
          seen.push(value);
          isReading = false;
        });
      };
      for (const each of operations) {
        if ("set" in each) board.set("a", each.set);
        else read();
        await Promise.resolve();
      }
      const latest = board.get("a");
      read();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(seen.at(-1), latest);
      for (const [at, value] of seen.entries()) if (at > 0) assert.notEqual(value, seen[at - 1]);
    }),
  );
});
