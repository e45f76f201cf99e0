import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { BadRequestSchema, RetryInfoSchema } from "../errors.ts";
import { badRequest, decodeStatusDetails, encodeStatusDetails, retryInfo } from "./error-details.ts";
import { createRpcError, nameMethod, RpcError, recaptureStack } from "./rpc-error.ts";
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

test("what is printed of an error has no control character of its message, which itself is untouched", () => {
  const message = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe\rover\nnext\tline\x7f";
  const printed = "\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\u202egnp.exe\\u000dover\nnext\tline\\u007f";
  for (const error of [
    new RpcError(StatusCode.ABORTED, message, { cause: new Error("cause") }),
    RpcError.from(createRpcError("client", StatusCode.ABORTED, message)),
    createRpcError("client", StatusCode.ABORTED, message),
  ]) {
    assert.equal(error.message, message);
    for (const text of [error.stack!, String(error), `${error}`, inspect(error), inspect({ error }, { depth: 4 })]) {
      assert.ok(text.replaceAll("\n  next", "\nnext").includes(`RpcError: ABORTED: ${printed}`), text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.doesNotMatch(text, /[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    assert.deepEqual(Object.keys(error).sort(), ["code", "details", "origin"]);
  }
  const wrapped = inspect(new Error("outer", { cause: createRpcError("client", StatusCode.ABORTED, message) }));
  assert.ok(wrapped.includes("\\u001b[2J") && !wrapped.includes("\x1b"), wrapped);
});

test("the stack of an error whose message is harmless still has its frames, and is read only when it is asked for", () => {
  const error = new RpcError(StatusCode.ABORTED, "two\nlines");
  assert.match(error.stack!, /^RpcError: ABORTED: two\nlines\n +at /);
  assert.match(new RpcError(StatusCode.ABORTED, "\x1b").stack!, /^RpcError: ABORTED: \\u001b\n +at /);
  assert.equal(createRpcError("client", StatusCode.ABORTED, "\x1b").stack, "RpcError: ABORTED: \\u001b");
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
  assert.match(stack, /^RpcError: NOT_FOUND: gone\n/);
  assert.match(stack, /namedCaller/);
});

test("an error of the library has its origin and no frames, and leaves other errors their stack", () => {
  const limit = Error.stackTraceLimit;
  const error = createRpcError("client", StatusCode.UNAVAILABLE, "connection lost");
  assert.ok(error instanceof RpcError);
  assert.equal(error.origin, "client");
  assert.equal(error.stack, "RpcError: UNAVAILABLE: connection lost");
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

test("the method is the first that is named, stands in what is printed, and is no property of one error's own", () => {
  const error = createRpcError("client", StatusCode.NOT_FOUND, "gone");
  assert.equal(error.method, undefined);
  nameMethod(error, "/a.B/Get");
  nameMethod(error, "/a.B/Other");
  assert.equal(error.method, "/a.B/Get");
  assert.equal(String(error), "RpcError: NOT_FOUND /a.B/Get: gone");
  assert.equal(error.stack, "RpcError: NOT_FOUND /a.B/Get: gone");
  assert.deepEqual(Object.keys(error).sort(), ["code", "details", "origin"]);
  function here(): void {
    recaptureStack(error, here);
  }
  here();
  assert.match(error.stack, /^RpcError: NOT_FOUND \/a\.B\/Get: gone\n +at /);
  assert.equal(String(createRpcError("client", StatusCode.ABORTED, "")), "RpcError: ABORTED");
});

test("a stack can be written, what the application's prepareStackTrace makes is kept, and a class keeps its name", () => {
  class NotFound extends RpcError {
    static {
      Object.defineProperty(NotFound.prototype, "name", { value: "NotFound" });
    }
    constructor() {
      super(StatusCode.NOT_FOUND, "gone");
    }
  }
  const error = new NotFound();
  const lines = error.stack.split("\n");
  assert.equal(lines[0], "NotFound: NOT_FOUND: gone");
  assert.doesNotMatch(lines[1]!, /new NotFound/);
  error.stack = "written";
  assert.equal(error.stack, "written");
  const { prepareStackTrace } = Error;
  try {
    Error.prepareStackTrace = (_, sites) => sites.length;
    assert.equal(typeof new RpcError(StatusCode.NOT_FOUND).stack, "number");
  } finally {
    Reflect.set(Error, "prepareStackTrace", prepareStackTrace);
  }
});

test("the prototype, and an object that was made of it, can be printed", () => {
  for (const object of [RpcError.prototype, Object.create(RpcError.prototype) as RpcError]) {
    assert.equal(typeof String(object), "string");
    assert.equal(typeof object.stack, "string");
    assert.equal(object.method, undefined);
  }
});

test("a message that cannot be made into text leaves other errors their frames", () => {
  const limit = Error.stackTraceLimit;
  assert.throws(() => new RpcError(StatusCode.ABORTED, Object.create(null) as string), TypeError);
  assert.equal(Error.stackTraceLimit, limit);
});
