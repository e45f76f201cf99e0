import assert from "node:assert/strict";
import { test } from "node:test";
import { BadRequestSchema, RetryInfoSchema } from "../errors.ts";
import { badRequest, decodeStatusDetails, encodeStatusDetails, retryInfo } from "./error-details.ts";
import { createRpcError, RpcError } from "./rpc-error.ts";
import { StatusCode } from "./status.ts";

test("an RpcError carries code, message, details and trailers, and is the application's", () => {
  const cause = new Error("cause");
  const error = new RpcError(StatusCode.INVALID_ARGUMENT, "email is not valid", {
    details: [badRequest({ email: "must contain @" })],
    metadata: { "x-a": "1" },
    cause,
  });
  assert.ok(error instanceof Error);
  assert.equal(error.name, "RpcError");
  assert.equal(error.code, 3);
  assert.equal(error.codeName, "INVALID_ARGUMENT");
  assert.equal(error.message, "email is not valid");
  assert.equal(error.origin, "application");
  assert.equal(error.cause, cause);
  assert.equal(error.metadata.get("x-a"), "1");
  assert.equal(error.detail(BadRequestSchema)?.fieldViolations[0]?.description, "must contain @");
  assert.equal(error.detail(RetryInfoSchema), undefined);
});

test("without options there are no details, an empty Metadata and no cause", () => {
  const error = new RpcError(StatusCode.ABORTED);
  assert.equal(error.message, "");
  assert.deepEqual(error.details, []);
  assert.equal(error.metadata.size, 0);
  assert.equal(error.metadata, error.metadata);
  assert.equal("cause" in error, false);
});

test("details as they arrive are read by schema, the first of its type that parses", () => {
  const bytes = encodeStatusDetails(StatusCode.ABORTED, "", [
    badRequest({ a: "b" }),
    retryInfo({ delayMs: 5 }),
    retryInfo({ delayMs: 9 }),
  ]);
  const details = decodeStatusDetails(bytes)?.details ?? [];
  const error = createRpcError("client", StatusCode.ABORTED, "", { details });
  assert.equal(error.details.length, 3);
  assert.equal(error.detail(RetryInfoSchema)?.retryDelay?.nanos, 5_000_000);
});

test("a code that is none, and OK, are refused with what is allowed", () => {
  for (const code of [0, 17, -1, 2.5, "NOT_FOUND", undefined] as StatusCode[]) {
    assert.throws(() => new RpcError(code, "x"), { name: "TypeError", message: /it takes 1 \(CANCELLED\) to 16/ });
  }
});

test("the stack starts with the error's name and shows who made it", () => {
  function namedCaller(): RpcError {
    return new RpcError(StatusCode.NOT_FOUND, "gone");
  }
  const stack = namedCaller().stack ?? "";
  assert.match(stack, /^RpcError: gone\n/);
  assert.match(stack, /namedCaller/);
});

test("an error of the library has its origin and no frames, and leaves other errors their stack", () => {
  const limit = Error.stackTraceLimit;
  const error = createRpcError("client", StatusCode.UNAVAILABLE, "connection lost");
  assert.ok(error instanceof RpcError);
  assert.equal(error.origin, "client");
  assert.equal(error.stack, "RpcError: connection lost");
  assert.equal(Error.stackTraceLimit, limit);
  assert.throws(() => createRpcError("library", 99 as StatusCode, ""), TypeError);
  assert.equal(Error.stackTraceLimit, limit);
});

test("from makes a client's error the application's own, with everything it carried", () => {
  const received = createRpcError("client", StatusCode.NOT_FOUND, "no user", {
    details: [badRequest({ a: "b" })],
    metadata: { "x-a": "1" },
  });
  const error = RpcError.from(received);
  assert.notEqual(error, received);
  assert.deepEqual([error.origin, error.code, error.message], ["application", StatusCode.NOT_FOUND, "no user"]);
  assert.equal(error.metadata.get("x-a"), "1");
  assert.ok(error.detail(BadRequestSchema));
  assert.equal(error.cause, received);
  error.metadata.set("x-a", "2");
  assert.equal(received.metadata.get("x-a"), "1");
});

test("from keeps an error that the application made", () => {
  const error = new RpcError(StatusCode.ABORTED, "mine");
  assert.equal(RpcError.from(error), error);
});

test("from reads aborts and timeouts by name", () => {
  const controller = new AbortController();
  controller.abort();
  assert.equal(RpcError.from(controller.signal.reason).code, StatusCode.CANCELLED);
  assert.equal(RpcError.from(new DOMException("late", "TimeoutError")).code, StatusCode.DEADLINE_EXCEEDED);
});

test("from gives anything else the fallback code, UNKNOWN by default", () => {
  const cause = new RangeError("bad page");
  const error = RpcError.from(cause, StatusCode.INVALID_ARGUMENT);
  assert.deepEqual([error.code, error.message, error.cause], [StatusCode.INVALID_ARGUMENT, "bad page", cause]);
  assert.deepEqual([RpcError.from("text").code, RpcError.from("text").message], [StatusCode.UNKNOWN, "text"]);
  for (const thrown of [undefined, null, 5, {}, Object.create(null)]) {
    const made = RpcError.from(thrown);
    assert.deepEqual([made.code, made.message, made.cause], [StatusCode.UNKNOWN, "", thrown]);
  }
});
