import assert from "node:assert/strict";
import { test } from "node:test";
import { CompressionThreads, type ThreadWork } from "./threads.ts";

function setUp(maxRunning: number) {
  const threads = new CompressionThreads(maxRunning);
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const work = (name: string): ThreadWork => ({
    begin: (onDone) => {
      begun.push(name);
      finish.set(name, onDone);
    },
  });
  return { threads, begun, work, finish: (name: string) => finish.get(name)!() };
}

test("no more run at once than may, and those that wait come in their order", () => {
  const { threads, begun, work, finish } = setUp(2);
  for (const name of ["a", "b", "c", "d"]) threads.start(work(name));
  assert.deepEqual(begun, ["a", "b"]);
  assert.deepEqual([threads.runningCount, threads.waitingCount], [2, 2]);
  finish("b");
  assert.deepEqual(begun, ["a", "b", "c"]);
  finish("a");
  finish("c");
  finish("d");
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  assert.deepEqual([threads.runningCount, threads.waitingCount], [0, 0]);
});

test("work that is cancelled before its turn is not begun, and nothing holds it", () => {
  const { threads, begun, work, finish } = setUp(1);
  const [a, b, c] = [work("a"), work("b"), work("c")];
  for (const each of [a, b, c]) threads.start(each);
  threads.cancel(b);
  assert.equal(threads.waitingCount, 1);
  threads.cancel(a);
  finish("a");
  assert.deepEqual(begun, ["a", "c"]);
});

test("work that finishes at once makes room at once", () => {
  const threads = new CompressionThreads(1);
  const begun: number[] = [];
  for (let at = 0; at < 100; at++) {
    threads.start({
      begin: (onDone) => {
        begun.push(at);
        onDone();
      },
    });
  }
  assert.equal(begun.length, 100);
  assert.equal(threads.runningCount, 0);
});
