import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage } from "@bufbuild/protobuf";
import { anyPack, DurationSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../errors.ts";
import { StatusCode } from "../grpc/status-code.ts";
import {
  badRequest,
  debugInfo,
  decodeStatusDetails,
  type ErrorDetailInit,
  encodeStatusDetails,
  errorDetail,
  errorInfo,
  help,
  localizedMessage,
  type MessageDetail,
  preconditionFailure,
  quotaFailure,
  readDetail,
  requestInfo,
  resourceInfo,
  retryInfo,
  toErrorDetail,
} from "./error-details.ts";

/** The detail after a trip through google.rpc.Status. */
function sent<Desc extends DescMessage>({ schema, message }: MessageDetail<Desc>) {
  const status = decodeStatusDetails(encodeStatusDetails(StatusCode.ABORTED, "text", [{ schema, message }]));
  assert.equal(status?.code, StatusCode.ABORTED);
  assert.equal(status.message, "text");
  const [any] = status.details;
  assert.ok(any);
  assert.equal(any.typeUrl, `type.googleapis.com/${schema.typeName}`);
  const read = readDetail(any, schema);
  assert.ok(read);
  return read;
}

test("badRequest takes field descriptions or full violations", () => {
  const read = sent(badRequest({ email: "must contain @", name: "is empty" }));
  assert.deepEqual(
    read.fieldViolations.map(({ field, description }) => [field, description]),
    [
      ["email", "must contain @"],
      ["name", "is empty"],
    ],
  );
  assert.equal(sent(badRequest([{ field: "a", reason: "TOO_LONG" }])).fieldViolations[0]?.reason, "TOO_LONG");
});

test("retryInfo splits milliseconds into seconds and nanoseconds", () => {
  const delay = (delayMs: number) => {
    const { retryDelay } = sent(retryInfo({ delayMs }));
    return [retryDelay?.seconds, retryDelay?.nanos];
  };
  assert.deepEqual(delay(0), [0n, 0]);
  assert.deepEqual(delay(2_500), [2n, 500_000_000]);
  assert.deepEqual(delay(0.25), [0n, 250_000]);
  assert.deepEqual(delay(999.9999), [1n, 0]);
  for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => retryInfo({ delayMs }), { name: "RangeError", message: /0 or more/ });
  }
});

test("every other detail of google.rpc keeps its fields", () => {
  const info = sent(errorInfo({ reason: "API_DISABLED", domain: "example.com", metadata: { a: "b" } }));
  assert.deepEqual([info.reason, info.domain, info.metadata], ["API_DISABLED", "example.com", { a: "b" }]);
  assert.equal(sent(resourceInfo({ resourceType: "user", resourceName: "42" })).resourceName, "42");
  assert.equal(sent(quotaFailure([{ subject: "s", description: "d" }])).violations[0]?.subject, "s");
  assert.equal(sent(preconditionFailure([{ type: "TOS", subject: "s" }])).violations[0]?.type, "TOS");
  assert.equal(sent(requestInfo({ requestId: "r1" })).requestId, "r1");
  assert.deepEqual(sent(debugInfo({ stackEntries: ["a", "b"] })).stackEntries, ["a", "b"]);
  assert.equal(sent(help([{ description: "d", url: "https://example.com" }])).links[0]?.url, "https://example.com");
  assert.equal(sent(localizedMessage({ locale: "fr", message: "non" })).message, "non");
});

test("a detail is read with its own schema only", () => {
  const detail = badRequest({ a: "b" });
  const [any] = decodeStatusDetails(encodeStatusDetails(StatusCode.ABORTED, "", [detail]))?.details ?? [];
  assert.ok(any);
  for (const schema of [RetryInfoSchema, HelpSchema, DebugInfoSchema, QuotaFailureSchema, StringValueSchema]) {
    assert.equal(readDetail(detail, schema as DescMessage), undefined);
    assert.equal(readDetail(any, schema as DescMessage), undefined);
  }
  assert.equal(readDetail(detail, BadRequestSchema), detail.message);
});

test("any message goes as a detail: schema and init, Any, google.rpc message", () => {
  const inits: ErrorDetailInit[] = [
    [StringValueSchema, { value: "a" }],
    [StringValueSchema, create(StringValueSchema, { value: "a" })],
    errorDetail(StringValueSchema, { value: "a" }),
    anyPack(StringValueSchema, create(StringValueSchema, { value: "a" })),
  ];
  for (const init of inits) assert.equal(readDetail(toErrorDetail(init), StringValueSchema)?.value, "a");
  for (const schema of [
    ErrorInfoSchema,
    LocalizedMessageSchema,
    PreconditionFailureSchema,
    RequestInfoSchema,
    ResourceInfoSchema,
  ]) {
    const detail = toErrorDetail(create(schema as DescMessage));
    assert.ok(readDetail(detail, schema as DescMessage), schema.typeName);
  }
});

test("a message whose schema is unknown here is refused with what to give", () => {
  assert.throws(() => toErrorDetail(create(DurationSchema)), {
    name: "TypeError",
    message: /google\.protobuf\.Duration .*\[Schema, message\]/,
  });
  assert.throws(() => toErrorDetail({ field: "a" } as never), {
    name: "TypeError",
    message: /an object without its schema/,
  });
});

test("an Any of a type nobody here knows is passed on unchanged", () => {
  const foreign = anyPack(StringValueSchema, create(StringValueSchema, { value: "a" }));
  foreign.typeUrl = "type.example.com/foreign.Type";
  const status = decodeStatusDetails(encodeStatusDetails(StatusCode.UNKNOWN, "", [foreign]));
  assert.equal(status?.details[0]?.typeUrl, "type.example.com/foreign.Type");
  assert.deepEqual(new Uint8Array(status.details[0].value), new Uint8Array(foreign.value));
});

test("bytes of a peer that do not parse count as absent and never throw", () => {
  assert.equal(decodeStatusDetails(new Uint8Array([0xff, 0xff])), undefined);
  const broken = anyPack(BadRequestSchema, create(BadRequestSchema));
  broken.value = new Uint8Array([0x0a, 0x7f]);
  assert.equal(readDetail(broken, BadRequestSchema), undefined);
});
