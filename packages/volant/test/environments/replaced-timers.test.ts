/** Timers and clocks that a test tool replaces reach the code under test and never the library. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { eventually, useFakeClock, useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { echo, withHandlers } from "../server/support/lab-service.ts";

type Replaceable = Record<string, unknown>;

/** As Jest and Vitest do: every global that tells time or makes work wait is one that never comes. */
function replaceEverything(): () => void {
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, value: unknown): void => {
    const own = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    undo.push(() =>
      own === undefined ? Reflect.deleteProperty(owner, name) : Object.defineProperty(owner, name, own),
    );
  };
  const never = (): object => ({ unref: () => undefined, ref: () => undefined });
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "clearTimeout", "clearImmediate"])
    replace(globalThis, name, never);
  replace(performance, "now", () => 5);
  replace(Date, "now", () => 5);
  return () => {
    for (const restore of undo.reverse()) restore();
  };
}

for (const over of ["tcp", "unix", "memory"] as const) {
  test(`calls succeed over ${over} while every timer, turn and clock of the process is fake, and afterwards`, async (t) => {
    const lab = await useServer(t, withHandlers(echo), { over });
    const client = lab.client(Lab);
    const restore = replaceEverything();
    try {
      assert.equal((await client.unary({ text: "a" }, { timeoutMs: 60_000 })).text, "echo a");
      const seen: string[] = [];
      for await (const { text } of client.download({ text: "b", number: 3 })) seen.push(text);
      assert.equal(seen.length, 3);
    } finally {
      restore();
    }
    assert.equal((await client.unary({ text: "c" })).text, "echo c");
  });
}

test("a deadline passes while timers are fake", async (t) => {
  const lab = await useServer(
    t,
    withHandlers({
      unary: (_, call) =>
        new Promise((_resolve, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason))),
    }),
  );
  const client = lab.client(Lab);
  await lab
    .client(Lab)
    .upload([])
    .catch(() => undefined);
  const restore = replaceEverything();
  try {
    await assert.rejects(client.unary({}, { timeoutMs: 30 }), { code: 4 });
  } finally {
    restore();
  }
});

test("mocked timers of node:test hold up neither a call nor the channel", async (t) => {
  const lab = await useServer(t, withHandlers(echo), { over: "tcp" });
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] });
  try {
    assert.equal((await lab.client(Lab).unary({ text: "a" })).text, "echo a");
  } finally {
    t.mock.timers.reset();
  }
  assert.equal((await lab.client(Lab).unary({ text: "b" })).text, "echo b");
});

test("useFakeClock moves every timer of the service: globals, node:timers, promises, intervals, Date", async (t) => {
  const clock = useFakeClock(t);
  const { setTimeout: moduleTimeout } = await import("node:timers");
  const log: string[] = [];
  const startedMs = Date.now();
  setTimeout((what) => log.push(String(what)), 100, "global");
  moduleTimeout(() => log.push("module"), 200);
  void delay(300, "promise").then((value) => log.push(value));
  void promisify(setTimeout)(400).then(() => log.push("promisified"));
  const interval = setInterval(() => log.push(`interval at ${Date.now() - startedMs}`), 250);
  const cancelled = setTimeout(() => log.push("never"), 50);
  clearTimeout(cancelled);
  const refreshed = setTimeout(() => log.push("refreshed"), 10);
  refreshed.refresh();
  assert.equal(refreshed.unref().hasRef(), false);
  await clock.advance(600);
  clearInterval(interval);
  await clock.advance(1_000);
  assert.deepEqual(log, [
    "refreshed",
    "global",
    "module",
    "interval at 250",
    "promise",
    "promisified",
    "interval at 500",
  ]);
  assert.ok(new Date() instanceof Date);
  const now = new Date();
  assert.equal(now.getTime() - startedMs, 1_600);
  assert.equal(Number(new Date(5)), 5);
  await assert.rejects(delay(5, undefined, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("useFakeClock puts everything back: by restore, by using, and at the end of a test of any runner", async () => {
  const real: Replaceable = { setTimeout, setInterval, Date, now: performance.now };
  const unchanged = (): void => assert.deepEqual({ setTimeout, setInterval, Date, now: performance.now }, real);
  const clock = useFakeClock();
  assert.notEqual(setTimeout, real.setTimeout);
  clock.restore();
  clock.restore();
  unchanged();
  {
    using _scoped = useFakeClock();
    assert.notEqual(Date, real.Date);
  }
  unchanged();
  for (const name of ["after", "onTestFinished"] as const) {
    const ends: (() => void)[] = [];
    useFakeClock({ [name]: (work: () => void) => void ends.push(work) });
    for (const end of ends) end();
    unchanged();
  }
});

test("useFakeClock says at once that it does not work where timers are fake already", (t) => {
  const clock = useFakeClock();
  assert.throws(() => useFakeClock(), /time stands still already/);
  clock.restore();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  assert.throws(
    () => useFakeClock(t),
    /setTimeout is replaced already, by the fake timers of a test tool; put the real ones back first: vi\.useRealTimers\(\)/,
  );
  t.mock.timers.reset();
  const marked = Object.assign(setTimeout, { clock: {} });
  try {
    assert.throws(() => useFakeClock(t), /replaced already/);
  } finally {
    Reflect.deleteProperty(marked, "clock");
  }
  useFakeClock(t).restore();
});

test("what was set before time stood still can be cleared meanwhile, and comes afterwards otherwise", async () => {
  const log: string[] = [];
  const cleared = setTimeout(() => log.push("cleared"), 1);
  setTimeout(() => log.push("kept"), 1);
  const clock = useFakeClock();
  clearTimeout(cleared);
  clock.restore();
  await eventually("the timer that was kept", () => log.length > 0);
  assert.deepEqual(log, ["kept"]);
});
