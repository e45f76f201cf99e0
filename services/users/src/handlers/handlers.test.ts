import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { StatusCode } from "volant";
import { ResourceInfoSchema } from "volant/errors";
import { handlerCall } from "../../test/support/handler-call.ts";
import { MemoryStorage } from "../../test/support/memory-storage.ts";
import { Outbox } from "../../test/support/outbox.ts";
import { createRequest, listRequest, updateRequest } from "../../test/support/requests.ts";
import { fault } from "../../test/support/rpc-faults.ts";
import { PageTokens } from "../domain/page-token.ts";
import { guardStorage } from "../domain/storage-guard.ts";
import { type CreateUserRequest, DeleteUserRequestSchema, GetUserRequestSchema } from "../gen/user_pb.ts";
import { StorageUnavailableError } from "../storage/storage-error.ts";
import { createBulkHandlers } from "./bulk-handlers.ts";
import { createReadHandlers } from "./read-handlers.ts";
import { createWriteHandlers } from "./write-handlers.ts";

function service(scanBatch?: number) {
  const storage = new MemoryStorage(scanBatch);
  const { users } = guardStorage(storage);
  const deleted: string[] = [];
  const handlers = {
    ...createReadHandlers(users, new PageTokens("a key of the tests")),
    ...createWriteHandlers(users, (userId) => deleted.push(userId)),
    ...createBulkHandlers(users),
  };
  return { storage, deleted, handlers };
}

type Handlers = ReturnType<typeof service>["handlers"];
const call = handlerCall();
const get = (userId: string, includeMetadata = false) => create(GetUserRequestSchema, { userId, includeMetadata });
const remove = (userId: string) => create(DeleteUserRequestSchema, { userId });

async function seed(handlers: Handlers, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const request = createRequest({ email: `u${n}@example.com`, name: `User ${n}`, metadata: { n: `${n}` } });
    ids.push((await handlers.createUser(request, call)).user?.id ?? "");
  }
  return ids;
}

type UserStream = ReturnType<Handlers["streamUsers"]>;

async function emailsOf(stream: UserStream): Promise<(string | undefined)[]> {
  const emails: (string | undefined)[] = [];
  for await (const { user } of stream) emails.push(user?.email);
  return emails;
}

describe("GetUser", () => {
  it("gives the user, with metadata only when asked", async () => {
    const { handlers } = service();
    const [id = ""] = await seed(handlers, 1);
    const plain = await handlers.getUser(get(id), call);
    assert.equal(plain.message, "User retrieved successfully");
    assert.deepEqual([plain.user?.id, plain.user?.metadata], [id, {}]);
    assert.deepEqual((await handlers.getUser(get(id, true), call)).user?.metadata, { n: "0" });
  });

  it("needs an id", async () => {
    const required = fault({ code: StatusCode.INVALID_ARGUMENT, message: "User ID is required", fields: ["user_id"] });
    await assert.rejects(async () => service().handlers.getUser(get(""), call), required);
  });

  it("does not find any other id, however strange, and says which", async () => {
    const { handlers } = service();
    for (const id of ["999", " ", "a\0b", "ü", "'; --"]) {
      await assert.rejects(
        async () => handlers.getUser(get(id), call),
        (error: unknown) => {
          fault({ code: StatusCode.NOT_FOUND, message: `User ${id} not found` })(error);
          const info = (error as { detail(schema: typeof ResourceInfoSchema): unknown }).detail(ResourceInfoSchema);
          assert.partialDeepStrictEqual(info, { resourceType: "user.User", resourceName: id });
          return true;
        },
      );
    }
    const shortened = fault({ code: StatusCode.NOT_FOUND, message: /^User x{128}… not found$/ });
    await assert.rejects(async () => handlers.getUser(get("x".repeat(100_000)), call), shortened);
  });
});

describe("ListUsers", () => {
  it("pages by token until there is no next page, each user once", async () => {
    const { handlers } = service();
    await seed(handlers, 7);
    const seen: (string | undefined)[] = [];
    let pageToken = "";
    let page = 0;
    do {
      const answer = await handlers.listUsers(listRequest({ pageSize: 3, sortBy: "email", pageToken }), call);
      assert.deepEqual([answer.page, answer.pageSize, answer.totalCount], [++page, 3, 7]);
      seen.push(...(answer.users ?? []).map(({ email }) => email));
      pageToken = answer.nextPageToken ?? "";
    } while (pageToken !== "");
    assert.deepEqual(
      seen,
      Array.from({ length: 7 }, (_, n) => `u${n}@example.com`),
    );
  });

  it("has no next page when the last one is just full", async () => {
    const { handlers } = service();
    await seed(handlers, 3);
    assert.equal((await handlers.listUsers(listRequest({ pageSize: 3 }), call)).nextPageToken, "");
    assert.equal((await service().handlers.listUsers(listRequest(), call)).nextPageToken, "");
  });

  it("pages by number, and counts what matches the filter", async () => {
    const { handlers } = service();
    await seed(handlers, 12);
    const answer = await handlers.listUsers(
      listRequest({ filter: "USER 1", page: 2, pageSize: 2, sortBy: "name" }),
      call,
    );
    assert.deepEqual(
      answer.users?.map(({ name }) => name),
      ["User 11"],
    );
    assert.equal(answer.totalCount, 3);
    assert.equal(answer.page, 2);
  });

  it("is the newest first, without metadata", async () => {
    const { handlers } = service();
    await seed(handlers, 2);
    const { users } = await handlers.listUsers(listRequest(), call);
    assert.deepEqual(
      users?.map(({ email, metadata }) => [email, metadata]),
      [
        ["u1@example.com", {}],
        ["u0@example.com", {}],
      ],
    );
  });
});

describe("StreamUsers", () => {
  it("streams every match, or as many as asked for, without a cap", async () => {
    const { handlers } = service(100);
    await seed(handlers, 1005);
    assert.equal((await emailsOf(handlers.streamUsers(listRequest(), call))).length, 1005);
    assert.equal((await emailsOf(handlers.streamUsers(listRequest({ pageSize: 1001 }), call))).length, 1001);
    assert.equal((await emailsOf(handlers.streamUsers(listRequest({ filter: "user 1000" }), call))).length, 1);
  });

  it("goes on where a page of ListUsers ended", async () => {
    const { handlers } = service();
    await seed(handlers, 5);
    const { nextPageToken = "" } = await handlers.listUsers(listRequest({ pageSize: 2, sortBy: "name" }), call);
    const rest = ["u2@example.com", "u3@example.com", "u4@example.com"];
    const byToken = handlers.streamUsers(listRequest({ sortBy: "name", pageToken: nextPageToken }), call);
    assert.deepEqual(await emailsOf(byToken), rest);
    const byNumber = handlers.streamUsers(listRequest({ sortBy: "name", page: 2, pageSize: 2 }), call);
    assert.deepEqual(await emailsOf(byNumber), rest.slice(0, 2));
  });

  it("reads no further than its reader", async () => {
    const { handlers, storage } = service(10);
    await seed(handlers, 100);
    let read = 0;
    for await (const { message } of handlers.streamUsers(listRequest(), call)) {
      assert.equal(message, "User streamed successfully");
      if (++read === 15) break;
    }
    assert.equal(storage.users.scanned, 2);
  });

  it("stops its query when the call ends", async () => {
    const { handlers } = service(10);
    await seed(handlers, 100);
    const controller = new AbortController();
    let read = 0;
    await assert.rejects(
      async () => {
        for await (const _ of handlers.streamUsers(listRequest(), handlerCall(controller.signal))) {
          if (++read === 5) controller.abort();
        }
      },
      { name: "AbortError" },
    );
    assert.equal(read, 10);
  });
});

describe("CreateUser", () => {
  it("gives the user as it was stored", async () => {
    const { handlers } = service();
    const request = createRequest({ roles: ["admin"], metadata: { team: "core" } });
    const { user, message } = await handlers.createUser(request, call);
    assert.equal(message, "User created successfully");
    assert.partialDeepStrictEqual(user, { email: "ada@example.com", roles: ["admin"], metadata: { team: "core" } });
  });

  it("refuses an email that is taken, whatever its case", async () => {
    const { handlers } = service();
    await handlers.createUser(createRequest(), call);
    const message = "A user with the email ADA@example.com already exists";
    await assert.rejects(
      async () => handlers.createUser(createRequest({ email: "ADA@example.com" }), call),
      fault({ code: StatusCode.ALREADY_EXISTS, message }),
    );
  });

  it("with a request id creates one user, however often it is sent, and refuses the id for another", async () => {
    const { handlers, storage } = service();
    const request = createRequest({ requestId: "r1" });
    const first = await handlers.createUser(request, call);
    assert.deepEqual(await handlers.createUser(request, call), first);
    assert.equal(await storage.users.count(""), 1);
    await assert.rejects(
      async () => handlers.createUser(createRequest({ requestId: "r1", name: "Eve" }), call),
      fault({ code: StatusCode.INVALID_ARGUMENT, fields: ["request_id"] }),
    );
  });
});

describe("UpdateUser", () => {
  it("changes what the mask names and nothing else", async () => {
    const { handlers } = service();
    const [id = ""] = await seed(handlers, 1);
    const request = updateRequest({ userId: id, name: "New", email: "x@example.com", updateMask: { paths: ["name"] } });
    const { user, message } = await handlers.updateUser(request, call);
    assert.equal(message, "User updated successfully");
    assert.deepEqual([user?.name, user?.email], ["New", "u0@example.com"]);
  });

  it("of nothing leaves the user as it is, etag included", async () => {
    const { handlers } = service();
    const [id = ""] = await seed(handlers, 1);
    const before = (await handlers.getUser(get(id, true), call)).user;
    assert.deepEqual((await handlers.updateUser(updateRequest({ userId: id }), call)).user, before);
    const stale = updateRequest({ userId: id, etag: "stale" });
    await assert.rejects(async () => handlers.updateUser(stale, call), fault({ code: StatusCode.ABORTED }));
    const unknown = fault({ code: StatusCode.NOT_FOUND, message: "User 999 not found" });
    await assert.rejects(async () => handlers.updateUser(updateRequest({ userId: "999" }), call), unknown);
  });

  it("is refused when someone else was first", async () => {
    const { handlers } = service();
    const [id = ""] = await seed(handlers, 1);
    const etag = (await handlers.getUser(get(id), call)).user?.etag ?? "";
    await handlers.updateUser(updateRequest({ userId: id, name: "First", etag }), call);
    await assert.rejects(
      async () => handlers.updateUser(updateRequest({ userId: id, name: "Second", etag }), call),
      fault({ code: StatusCode.ABORTED, message: /was changed by someone else/ }),
    );
  });

  it("answers for each thing that can be wrong", async () => {
    const { handlers } = service();
    const [id = ""] = await seed(handlers, 2);
    const update = (init: Parameters<typeof updateRequest>[0]) => async () =>
      handlers.updateUser(updateRequest(init), call);
    const required = fault({ code: StatusCode.INVALID_ARGUMENT, message: "User ID is required" });
    await assert.rejects(update({ name: "N", updateMask: { paths: ["nonsense"] } }), required);
    await assert.rejects(update({ userId: "999", name: "N" }), fault({ code: StatusCode.NOT_FOUND }));
    await assert.rejects(update({ userId: "a\0", name: "N" }), fault({ code: StatusCode.NOT_FOUND }));
    await assert.rejects(update({ userId: id, email: "u1@example.com" }), fault({ code: StatusCode.ALREADY_EXISTS }));
    await assert.rejects(update({ userId: id, email: "bad" }), fault({ code: StatusCode.INVALID_ARGUMENT }));
  });
});

describe("DeleteUser", () => {
  it("deletes, tells the chat, and does not find it again", async () => {
    const { handlers, deleted } = service();
    const [id = ""] = await seed(handlers, 1);
    assert.deepEqual(await handlers.deleteUser(remove(id), call), {});
    assert.deepEqual(deleted, [id]);
    await assert.rejects(async () => handlers.deleteUser(remove(id), call), fault({ code: StatusCode.NOT_FOUND }));
    assert.deepEqual(deleted, [id]);
  });

  it("needs an id", async () => {
    const required = fault({ code: StatusCode.INVALID_ARGUMENT, message: "User ID is required" });
    await assert.rejects(async () => service().handlers.deleteUser(remove(""), call), required);
  });
});

describe("CreateUserStream", () => {
  it("sums up what was created", async () => {
    const { handlers } = service();
    const requests = new Outbox<CreateUserRequest>().send(createRequest(), createRequest({ email: "bad" })).end();
    const summary = await handlers.createUserStream(requests, call);
    assert.equal(summary.createdCount, 1);
    assert.equal(summary.failures?.length, 1);
  });

  it("drops the batch it was gathering when the caller vanishes", async () => {
    const { handlers, storage } = service();
    const requests = new Outbox<CreateUserRequest>();
    for (let n = 0; n < 150; n++) requests.send(createRequest({ email: `u${n}@example.com` }));
    requests.fail(new Error("reset"));
    await assert.rejects(async () => handlers.createUserStream(requests, call), /reset/);
    assert.equal(await storage.users.count(""), 100);
  });
});

describe("a storage that cannot answer", () => {
  it("is UNAVAILABLE in words that are safe to send", async () => {
    const { handlers, storage } = service();
    storage.users.fault = new StorageUnavailableError("connection to db.internal:5432 lost, CANARY");
    const unavailable = fault({
      code: StatusCode.UNAVAILABLE,
      message: /^The user storage is not available[^:]*: try/,
    });
    const calls = [
      async () => handlers.getUser(get("1"), call),
      async () => handlers.listUsers(listRequest(), call),
      async () => handlers.createUser(createRequest(), call),
      async () => handlers.updateUser(updateRequest({ userId: "1", name: "N" }), call),
      async () => handlers.deleteUser(remove("1"), call),
      async () => handlers.createUserStream(new Outbox<CreateUserRequest>().send(createRequest()).end(), call),
    ];
    for (const run of calls) await assert.rejects(run, unavailable);
  });

  it("ends a stream of users the same way", async () => {
    const { handlers, storage } = service(1);
    await seed(handlers, 3);
    let read = 0;
    await assert.rejects(
      async () => {
        for await (const _ of handlers.streamUsers(listRequest(), call)) {
          read++;
          storage.users.fault = new StorageUnavailableError("gone");
        }
      },
      fault({ code: StatusCode.UNAVAILABLE }),
    );
    assert.equal(read, 1);
  });

  it("lets what nobody foresaw pass to the library, which reports it", async () => {
    const { handlers, storage } = service();
    storage.users.fault = new TypeError("bug");
    await assert.rejects(async () => handlers.getUser(get("1"), call), TypeError);
  });
});
