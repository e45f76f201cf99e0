import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallEnd } from "../rpc/call.ts";
import { createCallValueKey } from "../rpc/call-values.ts";
import { NO_DEADLINE } from "../rpc/deadline.ts";
import type { MethodInfo } from "../rpc/method.ts";
import { type CallStream, IncomingCall } from "./incoming-call.ts";

const END = { durationMs: 1 } as CallEnd;

function setUp(deadlineMs: number = NO_DEADLINE) {
  const errors: unknown[] = [];
  const stream = {
    headersSent: false,
    end: undefined as CallEnd | undefined,
    sendHeadersNow(): void {
      stream.headersSent = true;
    },
    describeEnd: () => stream.end,
    reportError: (error: unknown) => errors.push(error),
  };
  const call = new IncomingCall({} as MethodInfo, { address: "test" }, stream as unknown as CallStream, [], deadlineMs);
  return { call, stream, errors };
}

test("headers can be changed until they are sent; then every change throws, also through an object held before", () => {
  const { call } = setUp();
  const held = call.headers;
  held.set("x-a", "1");
  call.sendHeaders();
  const sent = /the headers of this call are sent/;
  assert.throws(() => held.set("x-a", "2"), sent);
  assert.throws(() => held.append("x-a", "2"), sent);
  assert.throws(() => held.delete("x-a"), sent);
  assert.throws(() => call.headers.merge({ b: "2" }), sent);
  assert.equal(call.headers.get("x-a"), "1", "reading never throws");
  held.clone().set("x-a", "3");
});

test("trailers, values and metadata are made when they are first asked for", () => {
  const { call } = setUp();
  assert.equal(call.ownTrailers, undefined);
  call.trailers.set("x-t", "1");
  assert.equal(call.ownTrailers!.get("x-t"), "1");
  const key = createCallValueKey("id", 0);
  call.values.set(key, 5);
  assert.equal(call.values.get(key), 5);
  assert.equal(call.metadata.size, 0);
});

test("the signal has fired where it is asked for too late, and fires once where it was asked for before", () => {
  const late = setUp();
  late.call.markAborted("gone");
  assert.equal(late.call.signal.aborted, true);
  assert.equal(late.call.signal.reason.name, "AbortError");
  assert.equal(late.call.signal.reason.message, "gone");
  const early = setUp();
  let fired = 0;
  early.call.signal.addEventListener("abort", () => fired++);
  early.call.markAborted("first");
  early.call.fireSignal();
  early.call.markAborted("second");
  early.call.fireSignal();
  assert.equal(fired, 1);
  assert.equal(early.call.signal.reason.message, "first");
});

test("the deadline is a Date and what is left is a number; without one they are undefined and infinite", () => {
  const none = setUp();
  assert.deepEqual([none.call.deadline, none.call.remainingMs], [undefined, Number.POSITIVE_INFINITY]);
  const hourMs = 3_600_000;
  const earliestMs = Date.now() + hourMs;
  const { call } = setUp(performance.now() + hourMs);
  assert.ok(call.deadline instanceof Date);
  const latestMs = Date.now() + hourMs;
  // Both clocks are read in whole milliseconds, or rounded to them.
  assert.ok(call.deadline.getTime() >= earliestMs - 2 && call.deadline.getTime() <= latestMs + 2);
  assert.ok(call.remainingMs > 0 && call.remainingMs <= hourMs);
  assert.equal(setUp(performance.now() - 5).call.remainingMs, 0);
});

test("end listeners hear it innermost first; one that throws or rejects is reported and holds up nobody", async () => {
  const { call, errors } = setUp();
  const log: string[] = [];
  call.onEnd(() => log.push("outer"));
  call.onEnd(() => {
    throw new Error("thrown");
  });
  call.onEnd(async () => {
    throw new Error("rejected");
  });
  call.onEnd(() => log.push("inner"));
  call.tellEnd(END);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(log, ["inner", "outer"]);
  assert.deepEqual(errors.map(String), ["Error: thrown", "Error: rejected"]);
});

test("a listener that comes after the end hears of it at once", () => {
  const { call, stream } = setUp();
  stream.end = END;
  const heard: CallEnd[] = [];
  call.onEnd((end) => heard.push(end));
  assert.deepEqual(heard, [END]);
});
