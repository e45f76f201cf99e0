/**
 * The contract of the UserService as it is promised to its users: each rule with its exact texts, over TCP, against a
 * real engine, through our own client.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Channel, type Client, createClient, RpcError, StatusCode } from "volant";
import { BadRequestSchema, ResourceInfoSchema } from "volant/errors";
import { UserService } from "../src/gen/user_pb.ts";
import { fault } from "./support/rpc-faults.ts";
import { type RunningService, startService } from "./support/running-service.ts";

let service: RunningService;
let channel: Channel;
let users: Client<typeof UserService>;

before(async () => {
  service = await startService();
  channel = new Channel(service.address);
  users = createClient(UserService, channel);
});

after(async () => {
  await channel.close();
  await service.close();
  assert.deepEqual(service.faults, [], "no handler failed in a way that was not meant for its caller");
});

const invalid = (message: string | RegExp, ...fields: string[]) =>
  fault({ code: StatusCode.INVALID_ARGUMENT, message, fields });

async function createUser(email: string, name = email): Promise<string> {
  const { user } = await users.createUser({ email, name });
  assert.ok(user);
  return user.id;
}

describe("GetUser", () => {
  it("answers `User retrieved successfully` for the sample users", async () => {
    for (const userId of ["123", "alice"]) {
      const { user, message } = await users.getUser({ userId });
      assert.equal(message, "User retrieved successfully");
      assert.equal(user?.id, userId);
      assert.ok(user.email.includes("@"));
      assert.ok((user.createdAt?.seconds ?? 0n) > 1_600_000_000n);
      assert.notEqual(user.etag, "");
    }
  });

  it("leaves metadata out unless include_metadata is set", async () => {
    const without = await users.getUser({ userId: "alice" });
    assert.deepEqual({ ...without.user?.metadata }, {});
    const withMetadata = await users.getUser({ userId: "alice", includeMetadata: true });
    assert.deepEqual({ ...withMetadata.user?.metadata }, { team: "core" });
  });

  it("without an id is INVALID_ARGUMENT `User ID is required` with a BadRequest", async () => {
    await assert.rejects(users.getUser({ userId: "" }), (error) => {
      assert.ok(error instanceof RpcError);
      assert.equal(error.code, StatusCode.INVALID_ARGUMENT);
      assert.equal(error.message, "User ID is required");
      assert.equal(error.detail(BadRequestSchema)?.fieldViolations[0]?.field, "user_id");
      return true;
    });
  });

  it("of any unknown id is NOT_FOUND `User <id> not found` with a ResourceInfo", async () => {
    for (const userId of ["999", "x", "Alice", "00000000-0000-0000-0000-000000000000", "ünknöwn ✓", "a\0b"]) {
      await assert.rejects(users.getUser({ userId }), (error) => {
        assert.ok(error instanceof RpcError);
        assert.equal(error.code, StatusCode.NOT_FOUND);
        assert.equal(error.message, `User ${userId} not found`);
        const info = error.detail(ResourceInfoSchema);
        assert.deepEqual([info?.resourceType, info?.resourceName], ["user.User", userId]);
        return true;
      });
    }
  });
});

type Listing = { filter: string; sortBy: string; pageSize: number };

async function emailsByToken(request: Listing, between = async (): Promise<void> => undefined): Promise<string[]> {
  const seen: string[] = [];
  let pageToken = "";
  do {
    const answer = await users.listUsers({ ...request, pageToken });
    seen.push(...answer.users.map(({ email }) => email));
    pageToken = answer.nextPageToken;
    await between();
  } while (pageToken !== "");
  return seen;
}

describe("ListUsers", () => {
  before(async () => {
    for (let n = 0; n < 7; n++) await createUser(`list${n}@pages.example`, `List ${n} 100%_sure`);
  });

  it("filters by name or email, whatever the case, literally", async () => {
    const byName = await users.listUsers({ filter: "LIST 3" });
    assert.deepEqual(
      byName.users.map(({ email }) => email),
      ["list3@pages.example"],
    );
    assert.equal((await users.listUsers({ filter: "@PAGES.example" })).totalCount, 7);
    assert.equal((await users.listUsers({ filter: "100%_sure" })).totalCount, 7);
    assert.equal((await users.listUsers({ filter: "1%sure" })).totalCount, 0);
    assert.equal((await users.listUsers({ filter: "list_@pages" })).totalCount, 0);
  });

  it("is the newest first unless sort_by says otherwise", async () => {
    const emails = async (sortBy: string): Promise<string[]> =>
      (await users.listUsers({ filter: "@pages.example", sortBy })).users.map(({ email }) => email[4] ?? "");
    for (const sortBy of ["", "created_at desc", "name desc", "email desc", "updated_at desc"]) {
      assert.equal((await emails(sortBy)).join(""), "6543210", sortBy);
    }
    for (const sortBy of ["created_at", "name", "email", "updated_at"]) {
      assert.equal((await emails(sortBy)).join(""), "0123456", sortBy);
    }
    await assert.rejects(users.listUsers({ sortBy: "password" }), invalid(/^sort_by must be one of/, "sort_by"));
  });

  it("pages by number, from 1", async () => {
    const request = { filter: "@pages.example", sortBy: "email", pageSize: 3 };
    const pages = await Promise.all([1, 2, 3, 4].map((page) => users.listUsers({ ...request, page })));
    assert.deepEqual(
      pages.map(({ users }) => users.length),
      [3, 3, 1, 0],
    );
    for (const [index, page] of pages.entries()) {
      assert.deepEqual([page.totalCount, page.page, page.pageSize], [7, index + 1, 3]);
    }
    await assert.rejects(users.listUsers({ page: -1 }), invalid(/^page must be 1 or more/, "page"));
  });

  it("pages by token in every order, each user once", async () => {
    for (const sortBy of ["", "created_at", "name desc", "email", "updated_at desc"]) {
      const seen = await emailsByToken({ filter: "@pages.example", sortBy, pageSize: 2 });
      assert.equal(seen.length, 7);
      assert.equal(new Set(seen).size, 7, sortBy);
    }
  });

  it("pages by token past users that come and go: who stays is seen once", async () => {
    for (let n = 2; n <= 6; n++) await createUser(`${n}@moving.example`);
    let pages = 0;
    const seen = await emailsByToken({ filter: "@moving.example", sortBy: "email", pageSize: 2 }, async () => {
      if (++pages > 1) return;
      await createUser("1@moving.example");
      await createUser("7@moving.example");
      const { users: gone } = await users.listUsers({ filter: "3@moving.example" });
      await users.deleteUser({ userId: gone[0]?.id ?? "" });
    });
    assert.deepEqual(
      seen.map(([first]) => first),
      ["2", "3", "4", "5", "6", "7"],
    );
  });

  it("takes a page token only for the filter and order it was made for", async () => {
    const { nextPageToken: pageToken } = await users.listUsers({
      filter: "@pages.example",
      sortBy: "name",
      pageSize: 2,
    });
    const foreign = invalid(/^page_token belongs to another filter or sort_by/, "page_token");
    await assert.rejects(users.listUsers({ filter: "@pages", sortBy: "name", pageToken }), foreign);
    await assert.rejects(users.listUsers({ filter: "@pages.example", sortBy: "name desc", pageToken }), foreign);
    const damaged = invalid(/^page_token is not valid/, "page_token");
    await assert.rejects(users.listUsers({ pageToken: `${pageToken}A` }), damaged);
    await assert.rejects(users.listUsers({ pageToken: "guess" }), damaged);
  });

  it("has 50 users a page when page_size is 0, 1000 at most, and refuses less than 0", async () => {
    assert.equal((await users.listUsers({})).pageSize, 50);
    assert.equal((await users.listUsers({ pageSize: 1001 })).pageSize, 1000);
    await assert.rejects(users.listUsers({ pageSize: -1 }), invalid(/^page_size must not be negative/, "page_size"));
  });
});

describe("CreateUser", () => {
  it("stores what it is given", async () => {
    const given = {
      email: "grace@create.example",
      name: "Grace Höpper",
      roles: ["admin", "user"],
      metadata: { a: "1" },
    };
    const { user, message } = await users.createUser(given);
    assert.equal(message, "User created successfully");
    assert.ok(user);
    const read = await users.getUser({ userId: user.id, includeMetadata: true });
    assert.deepEqual(read.user, user);
    const { email, name, roles, metadata } = user;
    assert.deepEqual({ email, name, roles, metadata: { ...metadata } }, given);
  });

  it("needs a valid email, and no name", async () => {
    await assert.rejects(users.createUser({ email: "no", name: "N" }), invalid("email must contain an @", "email"));
    await assert.rejects(users.createUser({}), invalid(/email must not be empty/, "email"));
    assert.equal((await users.createUser({ email: "nameless@create.example" })).user?.name, "");
  });

  it("refuses an email that is taken, whatever its case, with ALREADY_EXISTS", async () => {
    await createUser("Unique@create.example");
    await assert.rejects(
      users.createUser({ email: "uNIQUE@CREATE.example", name: "N" }),
      fault({ code: StatusCode.ALREADY_EXISTS, message: /uNIQUE@CREATE\.example already exists$/ }),
    );
  });

  it("of one email at once succeeds once", async () => {
    const attempts = Array.from({ length: 10 }, () => users.createUser({ email: "race@create.example", name: "N" }));
    const settled = await Promise.allSettled(attempts);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
    for (const attempt of settled) {
      if (attempt.status === "rejected") fault({ code: StatusCode.ALREADY_EXISTS })(attempt.reason);
    }
  });

  it("with a request_id creates exactly one user, however often it is sent, also at once", async () => {
    const request = { email: "once@create.example", name: "Once", requestId: "request-1" };
    const answers = await Promise.all(Array.from({ length: 10 }, () => users.createUser(request)));
    answers.push(await users.createUser(request));
    assert.equal(new Set(answers.map(({ user }) => user?.id)).size, 1);
    assert.equal((await users.listUsers({ filter: "once@create.example" })).totalCount, 1);
    await assert.rejects(
      users.createUser({ ...request, name: "Twice" }),
      invalid(/^request_id was already used/, "request_id"),
    );
  });
});

describe("UpdateUser", () => {
  it("changes only the fields in update_mask", async () => {
    const userId = await createUser("mask@update.example", "Before");
    const update = { userId, name: "After", email: "other@update.example", roles: ["r"] };
    const { user, message } = await users.updateUser({ ...update, updateMask: { paths: ["name"] } });
    assert.equal(message, "User updated successfully");
    assert.deepEqual([user?.name, user?.email, user?.roles], ["After", "mask@update.example", []]);
  });

  it("with an empty mask changes the fields that are not at their default", async () => {
    const userId = await createUser("nomask@update.example", "Before");
    await users.updateUser({ userId, roles: ["r"] });
    const { user } = await users.updateUser({ userId, metadata: { k: "v" } });
    assert.deepEqual([user?.name, user?.roles, { ...user?.metadata }], ["Before", ["r"], { k: "v" }]);
    const cleared = await users.updateUser({ userId, updateMask: { paths: ["roles", "metadata"] } });
    assert.deepEqual([cleared.user?.roles, { ...cleared.user?.metadata }], [[], {}]);
  });

  it("refuses an unknown path, naming it and the allowed ones", async () => {
    await assert.rejects(
      users.updateUser({ userId: "123", updateMask: { paths: ["name", "password"] } }),
      invalid(/unknown path "password": allowed are email, name, roles, metadata$/, "update_mask"),
    );
  });

  it("with an etag that is no longer current is ABORTED", async () => {
    const userId = await createUser("etag@update.example");
    const etag = (await users.getUser({ userId })).user?.etag ?? "";
    const { user } = await users.updateUser({ userId, name: "First", etag });
    assert.notEqual(user?.etag, etag);
    await assert.rejects(users.updateUser({ userId, name: "Second", etag }), fault({ code: StatusCode.ABORTED }));
    assert.equal((await users.getUser({ userId })).user?.name, "First");
    await users.updateUser({ userId, name: "Third", etag: user?.etag ?? "" });
  });

  it("answers for a missing id, an unknown one, and an email that is taken", async () => {
    await assert.rejects(users.updateUser({ name: "N" }), invalid("User ID is required", "user_id"));
    const unknown = fault({ code: StatusCode.NOT_FOUND, message: "User 999 not found" });
    await assert.rejects(users.updateUser({ userId: "999", name: "N" }), unknown);
    const userId = await createUser("taker@update.example");
    await createUser("taken@update.example");
    await assert.rejects(
      users.updateUser({ userId, email: "Taken@update.example" }),
      fault({ code: StatusCode.ALREADY_EXISTS }),
    );
  });
});

describe("DeleteUser", () => {
  it("deletes once; then the id is unknown", async () => {
    const userId = await createUser("gone@delete.example");
    await users.deleteUser({ userId });
    const unknown = fault({ code: StatusCode.NOT_FOUND, message: `User ${userId} not found` });
    await assert.rejects(users.deleteUser({ userId }), unknown);
    await assert.rejects(users.getUser({ userId }), unknown);
    await assert.rejects(users.deleteUser({}), invalid("User ID is required", "user_id"));
  });
});
