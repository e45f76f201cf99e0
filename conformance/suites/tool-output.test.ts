import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGhzReport, parseJsonStream } from "./tool-output.ts";

test("objects on many lines or on one line each are read one after the other", () => {
  assert.deepEqual(parseJsonStream('{\n  "a": {\n    "b": 1\n  }\n}\n{\n  "c": "}"\n}\n'), [
    { a: { b: 1 } },
    { c: "}" },
  ]);
  assert.deepEqual(parseJsonStream('{"a":{}}\n{"b":2}\n'), [{ a: {} }, { b: 2 }]);
  assert.deepEqual(parseJsonStream(""), []);
});

test("text that is no JSON, or is cut, is an error", () => {
  assert.throws(() => parseJsonStream("connection refused\n"), /not a row of JSON objects: connection refused/);
  assert.throws(() => parseJsonStream('{\n  "a": 1\n'), /not a row/);
});

test("a ghz report gives its calls by status", () => {
  assert.deepEqual(parseGhzReport('{"count":3,"statusCodeDistribution":{"OK":2,"Unavailable":1}}'), {
    OK: 2,
    Unavailable: 1,
  });
  assert.deepEqual(parseGhzReport("{}"), {});
});
