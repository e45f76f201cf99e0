import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatusCode } from "volant";
import { MemoryUserStore } from "../../test/support/memory-storage.ts";
import { createRequest } from "../../test/support/requests.ts";
import { SERVICE } from "../storage/requester.ts";
import { BulkCreation } from "./bulk-creation.ts";
import { LIMITS } from "./limits.ts";

type Init = Parameters<typeof createRequest>[0];

async function createAll(items: readonly Init[], users = new MemoryUserStore()) {
  const creation = new BulkCreation(users, SERVICE);
  for (const item of items) await creation.add(createRequest(item));
  return { summary: await creation.finish(), users };
}

function many(count: number, init: Init = {}): Init[] {
  return Array.from({ length: count }, (_, index) => ({ ...init, email: `user${index}@example.com` }));
}

describe("creating many users", () => {
  it("of nothing creates nothing", async () => {
    const { summary, users } = await createAll([]);
    assert.deepEqual(summary, { message: "0 of 0 users created", createdCount: 0, failures: [] });
    assert.deepEqual(users.batches, []);
  });

  it("gives the last created user and the count", async () => {
    const { summary } = await createAll([...many(2), { email: "bad" }]);
    assert.equal(summary.createdCount, 2);
    assert.equal(summary.user?.email, "user1@example.com");
    assert.equal(summary.message, "2 of 3 users created");
  });

  it("never loses a good item because of a bad one, and says which failed, by code and reason", async () => {
    const { summary } = await createAll([
      { email: "a@example.com", requestId: "r1" },
      { email: "nobody" },
      { email: "A@EXAMPLE.com" },
      { email: "b@example.com", requestId: "r1" },
      { email: "c@example.com", name: "a\nb" },
      { email: "d@example.com" },
    ]);
    assert.equal(summary.createdCount, 2);
    assert.equal(summary.user?.email, "d@example.com");
    assert.deepEqual(
      summary.failures?.map(({ index, code }) => [index, code]),
      [
        [1, StatusCode.INVALID_ARGUMENT],
        [2, StatusCode.ALREADY_EXISTS],
        [3, StatusCode.INVALID_ARGUMENT],
        [4, StatusCode.INVALID_ARGUMENT],
      ],
    );
    assert.equal(summary.failures?.[0]?.reason, "email must contain an @");
    assert.equal(summary.failures?.[1]?.reason, "A user with the email A@EXAMPLE.com already exists");
    assert.match(summary.failures?.[2]?.reason ?? "", /^request_id was already used/);
  });

  it("repeated with its request ids gives the answer of the first time", async () => {
    const items = many(5).map((item, index) => ({ ...item, requestId: `r${index}` }));
    const { summary: first, users } = await createAll(items);
    const { summary: second } = await createAll(items, users);
    assert.deepEqual(second, first);
    assert.equal(await users.count(""), 5);
  });

  it("stores batches of bounded count", async () => {
    const { users } = await createAll(many(LIMITS.bulkBatchItems * 2 + 1));
    assert.deepEqual(users.batches, [LIMITS.bulkBatchItems, LIMITS.bulkBatchItems, 1]);
  });

  it("stores batches of bounded size", async () => {
    const metadata = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`k${i}`, "v".repeat(2048)]));
    const { users } = await createAll(many(12, { metadata }));
    assert.deepEqual(users.batches, [5, 5, 2]);
  });

  it("lists a bounded number of failures and counts the others", async () => {
    const { summary } = await createAll(
      Array.from({ length: LIMITS.bulkListedFailures + 5 }, () => ({ email: "bad" })),
    );
    assert.equal(summary.failures?.length, LIMITS.bulkListedFailures);
    assert.equal(summary.message, "0 of 1005 users created; 5 of 1005 failures are not listed");
  });

  it("lists no more failures than their reasons have room, and counts the others", async () => {
    // As long as a reason can be: each of 32 roles is wrong.
    const roles = Array.from({ length: LIMITS.roles }, (_, i) => ` ${i}`);
    const { summary } = await createAll(Array.from({ length: 500 }, () => ({ roles })));
    const { failures = [] } = summary;
    const chars = failures.reduce((sum, { reason = "" }) => sum + reason.length, 0);
    const longest = failures[0]?.reason?.length ?? 0;
    assert.ok(longest > 2000, `${longest} characters`);
    assert.ok(chars >= LIMITS.bulkListedReasonChars && chars < LIMITS.bulkListedReasonChars + longest, `${chars}`);
    assert.match(summary.message ?? "", new RegExp(`; ${500 - failures.length} of 500 failures are not listed$`));
  });

  it("fails as a whole when the storage does, with what was committed left in place", async () => {
    const users = new MemoryUserStore();
    const creation = new BulkCreation(users, SERVICE);
    for (const item of many(LIMITS.bulkBatchItems + 10)) await creation.add(createRequest(item));
    users.fault = new Error("gone");
    await assert.rejects(creation.finish(), /gone/);
    users.fault = undefined;
    assert.equal(await users.count(""), LIMITS.bulkBatchItems);
  });
});
