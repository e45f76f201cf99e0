import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatusCode } from "volant";
import { createRequest, updateRequest } from "../../test/support/requests.ts";
import { fault } from "../../test/support/rpc-faults.ts";
import { LIMITS } from "./limits.ts";
import { canBeUserId, newUserViolations, requireUserId, toNewUser, toUserChange } from "./user-input.ts";

type Init = Parameters<typeof createRequest>[0];

function refused(init: Init, ...fields: string[]): void {
  const check = (): void => newUserViolations(createRequest(init)).throwIfAny();
  assert.throws(check, fault({ code: StatusCode.INVALID_ARGUMENT, fields }), JSON.stringify(init)?.slice(0, 200));
}

function accepted(init: Init): void {
  const violations = newUserViolations(createRequest(init));
  assert.ok(violations.isEmpty, violations.toText());
}

function numbered(count: number, value = "v"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
}

describe("a new user", () => {
  it("needs an email and no name, and is told every fault at once", () => {
    accepted({ name: "" });
    refused({ email: "" }, "email");
    refused({ email: "nobody", name: "a\nb" }, "email", "name");
  });

  it("may use each limit to the full, and not one more", () => {
    accepted({ name: "👩".repeat(LIMITS.nameChars) });
    refused({ name: "n".repeat(LIMITS.nameChars + 1) }, "name");
    accepted({ roles: Array.from({ length: LIMITS.roles }, (_, index) => `r${index}`) });
    refused({ roles: Array.from({ length: LIMITS.roles + 1 }, (_, index) => `r${index}`) }, "roles");
    accepted({ roles: ["r".repeat(LIMITS.roleChars)] });
    refused({ roles: ["ok", "r".repeat(LIMITS.roleChars + 1)] }, "roles[1]");
    accepted({ metadata: numbered(LIMITS.metadataEntries) });
    refused({ metadata: numbered(LIMITS.metadataEntries + 1) }, "metadata");
    accepted({ metadata: { ["k".repeat(LIMITS.metadataKeyChars)]: "v".repeat(LIMITS.metadataValueChars) } });
    refused({ metadata: { ["k".repeat(LIMITS.metadataKeyChars + 1)]: "" } }, "metadata");
    refused({ metadata: { k: "v".repeat(LIMITS.metadataValueChars + 1) } }, "metadata");
    refused({ metadata: numbered(10, "v".repeat(LIMITS.metadataValueChars)) }, "metadata");
    accepted({ requestId: "r".repeat(LIMITS.requestIdChars) });
    refused({ requestId: "r".repeat(LIMITS.requestIdChars + 1) }, "request_id");
  });

  it("cannot have text that no row can hold or no terminal should see", () => {
    refused({ name: "a\0b" }, "name");
    refused({ name: "a\nb" }, "name");
    refused({ name: "a\ud800" }, "name");
    refused({ roles: ["a\0"] }, "roles[0]");
    refused({ roles: ["", " x"] }, "roles[0]", "roles[1]");
    refused({ roles: ["user", "user"] }, "roles[1]");
    refused({ metadata: { "": "v" } }, "metadata");
    refused({ metadata: { "k\0": "v" } }, "metadata");
    refused({ metadata: { k: "v\0" } }, "metadata");
    refused({ requestId: "\u0007" }, "request_id");
    accepted({ metadata: { note: "two\nlines" } });
  });

  it("is refused in few words, however much was sent", () => {
    const huge = "x".repeat(1_000_000);
    const violations = newUserViolations(
      createRequest({ email: huge, name: huge, roles: [huge], metadata: { [huge]: huge }, requestId: huge }),
    );
    assert.ok(violations.toText().length < 1000);
  });

  it("has an idempotency key only when one was given", () => {
    assert.ok(!("requestId" in toNewUser(createRequest())));
    assert.equal(toNewUser(createRequest({ requestId: "r1" })).requestId, "r1");
  });
});

describe("a change", () => {
  it("with a mask is what the mask names, defaults included", () => {
    const request = { userId: "1", name: "New", roles: [], email: "ignored@example.com" };
    assert.deepEqual(toUserChange(updateRequest({ ...request, updateMask: { paths: ["name", "roles"] } })), {
      name: "New",
      roles: [],
    });
  });

  it("without a mask is what is not at its default", () => {
    assert.deepEqual(toUserChange(updateRequest({ userId: "1", name: "New", metadata: { a: "b" } })), {
      name: "New",
      metadata: { a: "b" },
    });
    assert.deepEqual(toUserChange(updateRequest({ userId: "1" })), {});
    assert.deepEqual(toUserChange(updateRequest({ userId: "1", name: "N", updateMask: { paths: [] } })), { name: "N" });
  });

  it("of an unknown path is refused with its name and the allowed ones", () => {
    for (const path of [
      "id",
      "user_id",
      "etag",
      "created_at",
      "name.first",
      "metadata.a",
      "*",
      "",
      "Name",
      "toString",
    ]) {
      assert.throws(
        () => toUserChange(updateRequest({ userId: "1", updateMask: { paths: ["name", path] }, name: "N" })),
        fault({
          code: StatusCode.INVALID_ARGUMENT,
          message: `update_mask has the unknown path ${JSON.stringify(path)}: allowed are email, name, roles, metadata`,
          fields: ["update_mask"],
        }),
      );
    }
  });

  it("is checked like a new user, but only in what it changes", () => {
    const clear = updateRequest({ userId: "1", updateMask: { paths: ["email", "name"] } });
    assert.throws(() => toUserChange(clear), fault({ code: StatusCode.INVALID_ARGUMENT, fields: ["email"] }));
    const unnamed = updateRequest({ userId: "1", email: "not an email", updateMask: { paths: ["roles"] } });
    assert.deepEqual(toUserChange(unnamed), { roles: [] });
  });

  it("cannot name an etag that is none", () => {
    assert.throws(
      () => toUserChange(updateRequest({ userId: "1", name: "N", etag: "e".repeat(LIMITS.etagChars + 1) })),
      fault({ code: StatusCode.INVALID_ARGUMENT, fields: ["etag"] }),
    );
  });
});

describe("a user id", () => {
  it("must be there", () => {
    const missing = fault({ code: StatusCode.INVALID_ARGUMENT, message: "User ID is required", fields: ["user_id"] });
    assert.throws(() => requireUserId(""), missing);
    requireUserId(" ");
  });

  it("is opaque, but what no row can hold is no id", () => {
    assert.ok(canBeUserId("999"));
    assert.ok(canBeUserId("x".repeat(LIMITS.userIdChars)));
    assert.ok(!canBeUserId("x".repeat(LIMITS.userIdChars + 1)));
    assert.ok(!canBeUserId("a\0"));
  });
});
