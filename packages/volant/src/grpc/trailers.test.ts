import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field } from "./header-names.ts";
import { StatusCode } from "./status-code.ts";
import { appendStatusFields, readStatus } from "./trailers.ts";

function fieldsOf(code: StatusCode, message: string, details?: Uint8Array): Field[] {
  const fields: Field[] = [];
  appendStatusFields(fields, code, message, details);
  return fields;
}

test("gRPC detail 10: the status is sent even if OK, and then alone", () => {
  assert.deepEqual(fieldsOf(StatusCode.OK, ""), [{ name: "grpc-status", value: "0" }]);
});

test("gRPC detail 1: message and details come back as they were", () => {
  const details = new Uint8Array([8, 5, 18, 1]);
  const fields = fieldsOf(StatusCode.NOT_FOUND, "100 % niño", details);
  assert.deepEqual(fields.slice(0, 2), [
    { name: "grpc-status", value: "5" },
    { name: "grpc-message", value: "100 %25 ni%C3%B1o" },
  ]);
  const status = readStatus([{ name: "x-other", value: "a" }, ...fields]);
  assert.equal(status?.code, StatusCode.NOT_FOUND);
  assert.equal(status.message, "100 % niño");
  assert.deepEqual(new Uint8Array(status.details ?? []), details);
});

test("empty details are not sent", () => {
  assert.equal(fieldsOf(StatusCode.ABORTED, "a", new Uint8Array()).length, 2);
});

test("gRPC detail 2: fields without grpc-status have no status", () => {
  assert.equal(readStatus([{ name: "grpc-message", value: "lost" }]), undefined);
  assert.equal(readStatus([]), undefined);
});

test("gRPC detail 2: an unparsable grpc-status is UNKNOWN and keeps its message", () => {
  const status = readStatus([
    { name: "grpc-status", value: "five" },
    { name: "grpc-message", value: "why" },
  ]);
  assert.deepEqual(status, { code: StatusCode.UNKNOWN, message: "why", details: undefined });
});

test("details that are not base64 do not cost the status", () => {
  const status = readStatus([
    { name: "grpc-status", value: "5" },
    { name: "grpc-status-details-bin", value: "*" },
  ]);
  assert.deepEqual(status, { code: StatusCode.NOT_FOUND, message: "", details: undefined });
});

test("of a repeated grpc-status the first counts", () => {
  assert.equal(
    readStatus([
      { name: "grpc-status", value: "5" },
      { name: "grpc-status", value: "0" },
    ])?.code,
    5,
  );
});
