import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CompressionThreads, ThreadLine, ThreadWork } from "./threads.ts";

function setUp(maxRunning: number) {
  const threads = new CompressionThreads(maxRunning);
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const onlyLine = new ThreadLine();
  const work = (name: string, line = onlyLine): ThreadWork =>
    new ThreadWork(line, (onDone) => {
      begun.push(name);
      finish.set(name, onDone);
    });
  return { threads, begun, work, finish: (name: string) => finish.get(name)!() };
}

test("no more run at once than may, and those of one peer come in their order", () => {
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

test("peers take turns: one of them waits for one piece of each other, however many those have", () => {
  const { threads, begun, work, finish } = setUp(1);
  const [many, few, one] = [new ThreadLine(), new ThreadLine(), new ThreadLine()];
  for (let at = 0; at < 100; at++) threads.start(work(`many ${at}`, many));
  for (let at = 0; at < 2; at++) threads.start(work(`few ${at}`, few));
  threads.start(work("one", one));
  for (let at = 0; at < 103; at++) finish(begun[at]!);
  const order = ["many 0", "many 1", "few 0", "one", "many 2", "few 1", "many 3", "many 4"];
  assert.deepEqual(begun.slice(0, order.length), order);
  assert.deepEqual(
    begun.filter((name) => name.startsWith("many")),
    Array.from({ length: 100 }, (_, at) => `many ${at}`),
  );
  assert.deepEqual([threads.runningCount, threads.waitingCount], [0, 0]);
});

test("connections of a peer take turns among themselves, and have no more turns together for being many", () => {
  const { threads, begun, work, finish } = setUp(1);
  const peer = new ThreadLine();
  const other = new ThreadLine(new ThreadLine());
  const connections = Array.from({ length: 3 }, () => new ThreadLine(peer));
  threads.start(work("first", new ThreadLine()));
  for (const [at, line] of connections.entries())
    for (let piece = 0; piece < 3; piece++) threads.start(work(`${at}.${piece}`, line));
  for (let piece = 0; piece < 3; piece++) threads.start(work(`other ${piece}`, other));
  for (let at = 0; at < 13; at++) finish(begun[at]!);
  const turns = ["0.0", "other 0", "1.0", "other 1", "2.0", "other 2", "0.1", "1.1", "2.1", "0.2", "1.2", "2.2"];
  assert.deepEqual(begun, ["first", ...turns]);
  assert.deepEqual([threads.runningCount, threads.waitingCount, peer.first], [0, 0, undefined]);
});

test("work that is cancelled before its turn is not begun, and nothing holds it", () => {
  const { threads, begun, work, finish } = setUp(1);
  const [a, b, c] = [work("a"), work("b"), work("c")];
  for (const each of [a, b, c]) threads.start(each);
  threads.cancel(b);
  threads.cancel(b);
  assert.equal(threads.waitingCount, 1);
  assert.deepEqual([b.before, b.after], [undefined, undefined]);
  threads.cancel(a);
  finish("a");
  assert.deepEqual(begun, ["a", "c"]);
});

test("a peer whose work was all cancelled has no turn, and gets one again with the next", () => {
  const { threads, begun, work, finish } = setUp(1);
  const other = new ThreadLine();
  const only = work("cancelled", other);
  threads.start(work("a"));
  threads.start(only);
  threads.start(work("b"));
  threads.cancel(only);
  finish("a");
  threads.start(work("c", other));
  finish("b");
  assert.deepEqual(begun, ["a", "b", "c"]);
});

test("work that finishes at once makes room at once", () => {
  const threads = new CompressionThreads(1);
  const line = new ThreadLine();
  let begun = 0;
  for (let at = 0; at < 100; at++) {
    threads.start(
      new ThreadWork(line, (onDone) => {
        begun++;
        onDone();
      }),
    );
  }
  assert.deepEqual([begun, threads.runningCount, threads.waitingCount], [100, 0, 0]);
});

test("whatever starts, is cancelled and finishes: all that was not cancelled begins once, in the order of its peer", () => {
  const act = fc.record({ kind: fc.constantFrom("start", "cancel", "finish"), at: fc.nat(3), which: fc.nat(50) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(act, { maxLength: 60 }), (maxRunning, acts) => {
      const { threads, begun, work, finish } = setUp(maxRunning);
      const peer = new ThreadLine();
      const lines = [new ThreadLine(), new ThreadLine(peer), new ThreadLine(peer), new ThreadLine(new ThreadLine())];
      const started: { name: string; at: number; piece: ThreadWork; isCancelled: boolean }[] = [];
      let finished = 0;
      for (const { kind, at, which } of acts) {
        const chosen = started[which % Math.max(1, started.length)];
        if (kind === "start") {
          const name = `${started.length}`;
          const piece = work(name, lines[at]!);
          started.push({ name, at, piece, isCancelled: false });
          threads.start(piece);
        } else if (kind === "cancel" && chosen !== undefined) {
          chosen.isCancelled ||= !begun.includes(chosen.name);
          threads.cancel(chosen.piece);
        } else if (kind === "finish" && finished < begun.length) finish(begun[finished++]!);
        const isIdle = threads.waitingCount > 0 && threads.runningCount < maxRunning;
        assert.ok(threads.runningCount <= maxRunning && !isIdle);
      }
      while (finished < begun.length) finish(begun[finished++]!);
      for (const at of lines.keys()) {
        const mine = started.filter((each) => each.at === at);
        const wanted = mine.filter(({ isCancelled }) => !isCancelled).map(({ name }) => name);
        const got = begun.filter((name) => mine.some((each) => each.name === name));
        assert.deepEqual(got, wanted);
      }
      assert.deepEqual([threads.runningCount, threads.waitingCount], [0, 0]);
    }),
  );
});
