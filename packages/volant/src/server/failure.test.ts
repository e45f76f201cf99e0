import assert from "node:assert/strict";
import { test } from "node:test";
import { createRpcError, RpcError } from "../rpc/rpc-error.ts";
import { StatusCode } from "../rpc/status.ts";
import { failureOf } from "./failure.ts";
import type { IncomingCall } from "./incoming-call.ts";

const RUNNING = { isAborted: false, remainingMs: 1 } as IncomingCall;
const LATE = { isAborted: false, remainingMs: 0 } as IncomingCall;
const ABORTED = { isAborted: true, remainingMs: 1 } as IncomingCall;
const { INTERNAL, NOT_FOUND, CANCELLED, DEADLINE_EXCEEDED, INVALID_ARGUMENT } = StatusCode;

function abortError(name = "AbortError"): Error {
  return new DOMException("aborted", name);
}

test("the application's own error goes out as it is", () => {
  const error = new RpcError(NOT_FOUND, "no such user");
  assert.deepEqual(failureOf(error, RUNNING, undefined), { status: error, report: false });
});

test("what the runtime says about the request goes out as it is", () => {
  const error = createRpcError("library", INVALID_ARGUMENT, "x");
  assert.deepEqual(failureOf(error, RUNNING, undefined), { status: error, report: false });
});

test("an error of a client call does not pass for the handler's answer", () => {
  for (const code of [NOT_FOUND, CANCELLED, DEADLINE_EXCEEDED]) {
    const { status, report } = failureOf(createRpcError("client", code, "secret backend"), RUNNING, undefined);
    assert.deepEqual([status.code, status.message, report], [INTERNAL, "internal error", true]);
  }
});

test("a client call that ended as this call did keeps its code, and is no news", () => {
  for (const code of [CANCELLED, DEADLINE_EXCEEDED] as const) {
    const error = createRpcError("client", code, "x");
    assert.deepEqual(failureOf(error, ABORTED, code), { status: error, report: false });
  }
});

test("a client that cancels at its deadline, while the inner call passes the same one, is no news either", () => {
  for (const [inner, ended] of [
    [DEADLINE_EXCEEDED, CANCELLED],
    [CANCELLED, DEADLINE_EXCEEDED],
  ] as const) {
    const { status, report } = failureOf(createRpcError("client", inner, "x"), ABORTED, ended);
    assert.deepEqual([status.code, report], [ended, false]);
  }
  const late = failureOf(createRpcError("client", DEADLINE_EXCEEDED, "x"), LATE, undefined);
  assert.deepEqual([late.status.code, late.report], [DEADLINE_EXCEEDED, false]);
  assert.equal(failureOf(createRpcError("client", NOT_FOUND, "x"), LATE, undefined).report, true);
  assert.equal(failureOf(createRpcError("client", NOT_FOUND, "x"), ABORTED, CANCELLED).report, true);
});

test("an abort after the signal fired is how the call ended; before, it is a failure like any other", () => {
  for (const name of ["AbortError", "TimeoutError"]) {
    const after = failureOf(abortError(name), ABORTED, DEADLINE_EXCEEDED);
    assert.deepEqual([after.status.code, after.report], [DEADLINE_EXCEEDED, false]);
    const before = failureOf(abortError(name), RUNNING, undefined);
    assert.deepEqual([before.status.code, before.report], [INTERNAL, true]);
  }
  assert.equal(failureOf(abortError(), ABORTED, undefined).status.code, CANCELLED);
});

test("anything else is INTERNAL without a word of what it was, and reported", () => {
  for (const thrown of [new Error("password=secret"), "text", undefined, null, 0, { code: 5 }]) {
    const { status, report } = failureOf(thrown, RUNNING, undefined);
    assert.deepEqual([status.code, status.message, report], [INTERNAL, "internal error", true]);
  }
});
