import assert from "node:assert/strict";
import { test } from "node:test";
import { isIterable, isThenable, Pump, type PumpTarget } from "./pump.ts";

/** A reader that takes `room` messages and then waits until it is given more. */
class Target implements PumpTarget {
  readonly sent: unknown[] = [];
  isDone = false;
  private room: number;
  private waiting: PromiseWithResolvers<void> | undefined;

  constructor(room: number = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  send(message: unknown): void {
    this.sent.push(message);
    this.room--;
  }

  whenWritable(): Promise<void> | undefined {
    if (this.room > 0) return undefined;
    this.waiting ??= Promise.withResolvers<void>();
    return this.waiting.promise;
  }

  give(room: number): void {
    this.room = room;
    this.waiting?.resolve();
    this.waiting = undefined;
  }

  stop(pump: Pump, late: unknown[] = []): void {
    this.isDone = true;
    pump.cancel((error) => late.push(error));
    this.give(1);
  }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("every message of sync and async iterables is sent, in order", async () => {
  const sources = {
    array: [1, 2, 3],
    set: new Set([1, 2, 3]),
    async *generator() {
      yield* [1, 2, 3];
    },
  };
  for (const iterable of [sources.array, sources.set, sources.generator()]) {
    const target = new Target();
    await new Pump(iterable, target).run();
    assert.deepEqual(target.sent, [1, 2, 3]);
  }
});

test("the first message of a sync iterable is sent at once, without a turn in between", () => {
  const target = new Target();
  new Pump([1, 2], target).run();
  assert.deepEqual(target.sent, [1, 2]);
});

test("a generator is resumed only when there is room", async () => {
  let made = 0;
  function* source(): Generator<number> {
    while (made < 10) yield made++;
  }
  const target = new Target(3);
  const run = new Pump(source(), target).run();
  await endOfTurn();
  assert.equal(made, 3);
  target.give(2);
  await endOfTurn();
  assert.equal(made, 5);
  target.give(100);
  await run;
  assert.equal(made, 10);
});

test("an endless sync iterable gives the event loop back", async () => {
  const target = new Target();
  function* endless(): Generator<number> {
    for (let at = 0; ; at++) yield at;
  }
  const pump = new Pump(endless(), target);
  const run = pump.run();
  let turns = 0;
  while (turns < 3) {
    await endOfTurn();
    turns++;
  }
  target.stop(pump);
  await run;
  assert.ok(target.sent.length > 0);
});

test("so does an async iterable that never waits, and one whose messages take long to make", async () => {
  const slow = (): void => {
    const untilMs = performance.now() + 2;
    while (performance.now() < untilMs);
  };
  async function* endless(): AsyncGenerator<number> {
    for (let at = 0; ; at++) {
      slow();
      yield at;
    }
  }
  const target = new Target();
  const pump = new Pump(endless(), target);
  const run = pump.run();
  await endOfTurn();
  const perTurn = target.sent.length;
  target.stop(pump);
  await run;
  assert.ok(perTurn <= 3, `${perTurn} slow messages in one turn`);
});

test("cancelling a generator that waits runs its finally", async () => {
  const log: string[] = [];
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      log.push("finally");
    }
  }
  const target = new Target(1);
  const pump = new Pump(source(), target);
  const run = pump.run();
  await endOfTurn();
  target.stop(pump);
  await run;
  assert.deepEqual(log, ["finally"]);
  assert.deepEqual(target.sent, [1]);
});

test("the run lasts until the generator's way out is over, and its failure there is reported", async () => {
  const late: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
    } finally {
      await gate.promise;
      // biome-ignore lint/correctness/noUnsafeFinally: a failure on the way out is the point
      throw new Error("way out");
    }
  }
  const target = new Target(1);
  const pump = new Pump(source(), target);
  let isOver = false;
  const run = pump.run().then(() => {
    isOver = true;
  });
  await endOfTurn();
  target.stop(pump, late);
  await endOfTurn();
  assert.equal(isOver, false);
  gate.resolve();
  await run;
  assert.deepEqual(late.map(String), ["Error: way out"]);
});

test("a sync generator that is cancelled while it runs is told afterwards", async () => {
  const log: string[] = [];
  const late: unknown[] = [];
  const target = new Target();
  let pump: Pump | undefined;
  function* source(): Generator<number> {
    try {
      target.stop(pump!, late);
      yield 1;
      log.push("went on");
    } finally {
      log.push("finally");
    }
  }
  pump = new Pump(source(), target);
  await pump.run();
  assert.deepEqual(log, ["finally"]);
  assert.deepEqual(late, []);
  assert.deepEqual(target.sent, []);
});

test("return() is called once, and never on an iterator that is at its end", async () => {
  let returns = 0;
  const iterable = (results: IteratorResult<number>[]): Iterable<number> => ({
    [Symbol.iterator]: () => ({
      next: () => results.shift() ?? { done: true, value: undefined },
      return: () => {
        returns++;
        return { done: true, value: undefined };
      },
    }),
  });
  const finished = new Pump(iterable([{ done: false, value: 1 }]), new Target());
  await finished.run();
  finished.cancel(() => undefined);
  assert.equal(returns, 0);
  const target = new Target(1);
  const cancelled = new Pump(iterable([{ done: false, value: 1 }]), target);
  const run = cancelled.run();
  target.stop(cancelled);
  cancelled.cancel(() => undefined);
  await run;
  assert.equal(returns, 1);
});

test("what next() throws or rejects with ends the run, and return() is not called after it", async () => {
  let returns = 0;
  const failing = (next: () => never | Promise<never>): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({
      next: next as () => Promise<IteratorResult<number>>,
      return: async () => {
        returns++;
        return { done: true, value: undefined };
      },
    }),
  });
  const throws = new Pump(
    failing(() => {
      throw new Error("thrown");
    }),
    new Target(),
  );
  await assert.rejects(throws.run(), /thrown/);
  const rejects = new Pump(
    failing(() => Promise.reject(new Error("rejected"))),
    new Target(),
  );
  await assert.rejects(rejects.run(), /rejected/);
  throws.cancel(() => undefined);
  rejects.cancel(() => undefined);
  assert.equal(returns, 0);
});

test("what the target throws ends the run, and cancel still reaches the generator", async () => {
  const log: string[] = [];
  function* source(): Generator<number> {
    try {
      yield 1;
    } finally {
      log.push("finally");
    }
  }
  const target = new Target();
  target.send = () => {
    throw new Error("cannot be encoded");
  };
  const pump = new Pump(source(), target);
  await assert.rejects(pump.run(), /cannot be encoded/);
  pump.cancel(() => undefined);
  assert.deepEqual(log, ["finally"]);
});

test("a sync failure on the way out is reported, not thrown", () => {
  const late: unknown[] = [];
  const pump = new Pump(
    {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw new Error("way out");
        },
      }),
    },
    new Target(),
  );
  pump.cancel((error) => late.push(error));
  assert.deepEqual(late.map(String), ["Error: way out"]);
});

test("what counts as iterable and as promise", () => {
  assert.deepEqual([[], new Map(), (async function* () {})()].map(isIterable), [true, true, true]);
  assert.deepEqual(["text", undefined, null, 5, {}].map(isIterable), [false, false, false, false, false]);
  assert.deepEqual([Promise.resolve(), undefined, null, {}].map(isThenable), [true, false, false, false]);
});
