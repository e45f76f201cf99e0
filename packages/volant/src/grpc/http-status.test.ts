import assert from "node:assert/strict";
import { test } from "node:test";
import { statusFromHttp, statusWithoutTrailers } from "./http-status.ts";
import { type StatusName, statusName } from "./status-code.ts";

test("gRPC detail 4: an HTTP status without grpc-status maps as the table says", () => {
  const table: Record<number, StatusName> = {
    400: "INTERNAL",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNIMPLEMENTED",
    429: "UNAVAILABLE",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "UNAVAILABLE",
  };
  for (let http = 100; http < 600; http++)
    assert.equal(statusName(statusFromHttp(http)), table[http] ?? "UNKNOWN", `${http}`);
});

test("gRPC detail 3: for a gRPC content type the HTTP status is ignored", () => {
  assert.equal(statusName(statusWithoutTrailers(503, "application/grpc+proto").code), "UNKNOWN");
});

test("gRPC detail 4: an answer that is not gRPC says what it was", () => {
  const { code, message } = statusWithoutTrailers(503, "text/html");
  assert.equal(statusName(code), "UNAVAILABLE");
  assert.match(message, /HTTP 503 with content-type "text\/html"/);
  assert.match(statusWithoutTrailers(200, undefined).message, /HTTP 200 without content-type/);
});
