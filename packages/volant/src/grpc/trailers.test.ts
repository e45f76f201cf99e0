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
  const message = 'why (grpc-status is "five"; it is one number from 0 to 16)';
  assert.deepEqual(status, { code: StatusCode.UNKNOWN, message, details: undefined });
});

test("details that are not base64 do not cost the status", () => {
  const status = readStatus([
    { name: "grpc-status", value: "5" },
    { name: "grpc-status-details-bin", value: "*" },
  ]);
  assert.deepEqual(status, { code: StatusCode.NOT_FOUND, message: "", details: undefined });
});

test("gRPC detail 2: a grpc-status that contradicts itself is UNKNOWN and says so; one that agrees with itself counts", () => {
  const read = (...values: string[]) => readStatus(values.map((value) => ({ name: "grpc-status", value })));
  for (const values of [
    ["0", "13"],
    ["13", "0"],
    ["0", "0", "13"],
    ["5", "05"],
    ["0", ""],
  ]) {
    const message = `grpc-status is ${JSON.stringify(values.slice(-2).join(", "))}; it is one number from 0 to 16`;
    assert.deepEqual(read(...values), { code: StatusCode.UNKNOWN, message, details: undefined });
  }
  assert.equal(read("0", "0")?.code, StatusCode.OK);
  assert.deepEqual(read("5", "5", "5"), { code: StatusCode.NOT_FOUND, message: "", details: undefined });
  assert.deepEqual(read("2"), { code: StatusCode.UNKNOWN, message: "", details: undefined });
});

test("of a repeated grpc-message, and of repeated details, the first counts", () => {
  const status = readStatus([
    { name: "grpc-status", value: "5" },
    { name: "grpc-message", value: "one" },
    { name: "grpc-message", value: "two" },
    { name: "grpc-status-details-bin", value: "AQ" },
    { name: "grpc-status-details-bin", value: "Ag" },
  ]);
  assert.deepEqual([status?.message, status?.details?.[0]], ["one", 1]);
});
