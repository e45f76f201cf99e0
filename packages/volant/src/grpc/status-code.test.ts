import assert from "node:assert/strict";
import { test } from "node:test";
import { isStatusCode, parseStatusCode, StatusCode, statusCamelName, statusCodes, statusName } from "./status-code.ts";

test("gRPC detail 2: the table has the 17 codes 0 to 16, in order", () => {
  assert.deepEqual(Object.values(StatusCode), [...Array(17).keys()]);
  assert.deepEqual(Object.keys(StatusCode), Object.keys(statusCodes));
  assert.equal(StatusCode.UNAUTHENTICATED, 16);
});

test("a code has its name in the spec's case and in the camel case of other tools", () => {
  assert.equal(statusName(StatusCode.NOT_FOUND), "NOT_FOUND");
  assert.equal(statusName(StatusCode.OK), "OK");
  assert.equal(statusCamelName(StatusCode.OK), "OK");
  assert.equal(statusCamelName(StatusCode.CANCELLED), "Cancelled");
  assert.equal(statusCamelName(StatusCode.DEADLINE_EXCEEDED), "DeadlineExceeded");
});

test("gRPC detail 2: grpc-status is decimal without leading zeros: every code reads back", () => {
  for (const code of Object.values(StatusCode)) assert.equal(parseStatusCode(String(code)), code);
});

test("gRPC detail 2: an unparsable or unknown grpc-status is UNKNOWN", () => {
  for (const text of [
    "",
    " ",
    "17",
    "19",
    "20",
    "99",
    "100",
    "00",
    "05",
    "016",
    "-1",
    "+1",
    "1.0",
    "1 ",
    " 1",
    "0x1",
    "OK",
    "1:",
  ]) {
    assert.equal(parseStatusCode(text), StatusCode.UNKNOWN, JSON.stringify(text));
  }
});

test("only the integers 0 to 16 are status codes", () => {
  for (const value of [-1, 17, 1.5, Number.NaN, "5", undefined, null]) assert.equal(isStatusCode(value), false);
  for (const value of [0, 5, 16]) assert.equal(isStatusCode(value), true);
});
