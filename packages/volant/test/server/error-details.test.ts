/** Errors with details over a real connection: google.rpc.Status in `grpc-status-details-bin`. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack, StringValueSchema } from "@bufbuild/protobuf/wkt";
import * as schemas from "../../src/errors.ts";
import {
  badRequest,
  debugInfo,
  type ErrorDetailInit,
  errorInfo,
  help,
  localizedMessage,
  preconditionFailure,
  quotaFailure,
  RpcError,
  requestInfo,
  resourceInfo,
  retryInfo,
  StatusCode,
} from "../../src/index.ts";
import { useServer } from "../../src/testing/index.ts";
import { Lab } from "../gen/lab_pb.ts";
import { failureOf, withHandlers } from "./support/lab-service.ts";

const foreign = anyPack(StringValueSchema, create(StringValueSchema, { value: "kept" }));
foreign.typeUrl = "type.example.com/foreign.Type";

const EVERY: readonly ErrorDetailInit[] = [
  badRequest({ email: "must contain @" }),
  retryInfo({ delayMs: 1_500 }),
  errorInfo({ reason: "NO_STOCK", domain: "shop.example.com", metadata: { item: "7" } }),
  resourceInfo({ resourceType: "user", resourceName: "42" }),
  quotaFailure([{ subject: "client:1", description: "limit 100" }]),
  preconditionFailure([{ type: "TOS", subject: "user:42", description: "not accepted" }]),
  requestInfo({ requestId: "r-1" }),
  help([{ description: "docs", url: "https://example.com/docs" }]),
  localizedMessage({ locale: "de", message: "nein" }),
  debugInfo({ stackEntries: ["at a", "at b"], detail: "notes" }),
  foreign,
];

async function received(t: TestContext, details: readonly ErrorDetailInit[]): Promise<RpcError> {
  const refuse = (): never => {
    throw new RpcError(StatusCode.FAILED_PRECONDITION, "refused", { details, cause: new Error("SELECT secret") });
  };
  const lab = await useServer(t, withHandlers({ unary: refuse }));
  return failureOf(lab.client(Lab).unary({}), StatusCode.FAILED_PRECONDITION);
}

test("every detail of google.rpc arrives, typed, and one that nobody here knows stays as it came", async (t) => {
  const error = await received(t, EVERY);
  assert.equal(error.message, "refused");
  assert.equal(error.detail(schemas.BadRequestSchema)?.fieldViolations[0]?.description, "must contain @");
  assert.equal(error.detail(schemas.RetryInfoSchema)?.retryDelay?.nanos, 500_000_000);
  assert.deepEqual(error.detail(schemas.ErrorInfoSchema)?.metadata, { item: "7" });
  assert.equal(error.detail(schemas.ResourceInfoSchema)?.resourceName, "42");
  assert.equal(error.detail(schemas.QuotaFailureSchema)?.violations[0]?.description, "limit 100");
  assert.equal(error.detail(schemas.PreconditionFailureSchema)?.violations[0]?.type, "TOS");
  assert.equal(error.detail(schemas.RequestInfoSchema)?.requestId, "r-1");
  assert.equal(error.detail(schemas.HelpSchema)?.links[0]?.url, "https://example.com/docs");
  assert.equal(error.detail(schemas.LocalizedMessageSchema)?.message, "nein");
  assert.equal(error.detail(schemas.DebugInfoSchema)?.detail, "notes");
  const last = error.details.at(-1);
  assert.ok(last !== undefined && !("schema" in last));
  assert.deepEqual([last.typeUrl, [...last.value]], [foreign.typeUrl, [...foreign.value]]);
  assert.ok(!JSON.stringify(error.details, (_, value) => (typeof value === "bigint" ? "" : value)).includes("SELECT"));
});

test("in production a server sends no DebugInfo, its own or one that it passes on, and all else", async (t) => {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  t.after(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });
  const passedOn = anyPack(schemas.DebugInfoSchema, create(schemas.DebugInfoSchema, { detail: "of another service" }));
  const error = await received(t, [...EVERY, passedOn]);
  assert.equal(error.detail(schemas.DebugInfoSchema), undefined);
  assert.equal(error.details.length, EVERY.length - 1);
});

test("in production an error whose only detail was DebugInfo has none", async (t) => {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  t.after(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });
  assert.deepEqual((await received(t, [debugInfo({ detail: "notes" })])).details, []);
});
