/** Contract: one user at a time, exactly once. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { UnstorableValueError } from "../../src/storage/storage-error.ts";
import { createdUser, newUser, type Suite, sizesOf } from "./contract.ts";

export const creatingSuite: Suite = (storage) => {
  it("keeps every field as it was given, and reads it back alike", async () => {
    const before = BigInt(Date.now() - 60_000) * 1000n;
    const given = newUser("Jürgen.Ä@example.com", {
      name: `Quote " ' \\ { } , Ünï 🦊`,
      roles: ["b", "a", 'with "quotes", comma', ""],
      metadata: { z: "1", a: "", "key with space": "🦊", ["__proto__"]: "own" },
    });
    const user = createdUser(await storage().users.create(given));
    assert.deepEqual(
      { email: user.email, name: user.name, roles: user.roles, metadata: { ...user.metadata } },
      { email: given.email, name: given.name, roles: given.roles, metadata: { ...given.metadata } },
    );
    assert.equal(Object.hasOwn(user.metadata, "__proto__"), true);
    assert.equal(user.createdAtMicros, user.updatedAtMicros);
    assert.ok(user.createdAtMicros > before);
    assert.match(user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(await storage().users.find(user.id), user);
  });

  it("keeps empty roles and empty metadata", async () => {
    const user = createdUser(await storage().users.create(newUser("a@x.io", { roles: [], metadata: {} })));
    assert.deepEqual([user.roles, user.metadata], [[], {}]);
  });

  it("an email is taken whatever its case", async () => {
    createdUser(await storage().users.create(newUser("Alice@Example.com")));
    assert.deepEqual(await storage().users.create(newUser("aLICE@eXAMPLE.COM")), { kind: "email-taken" });
    assert.equal(await storage().users.count(""), 1);
  });

  it("100 concurrent creates of one email make exactly one user", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => storage().users.create(newUser(i % 2 === 0 ? "one@x.io" : "ONE@x.io"))),
    );
    assert.deepEqual(sizesOf(outcomes), { created: 1, "email-taken": 99 });
    assert.equal(await storage().users.count(""), 1);
  });

  it("§5 100 concurrent creates with one request id make one user, and all get it", async () => {
    const user = newUser("once@x.io", { requestId: "request-1" });
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => storage().users.create(user)));
    assert.deepEqual(sizesOf(outcomes), { created: 100 });
    assert.equal(outcomes.filter((outcome) => outcome.kind === "created" && !outcome.replayed).length, 1);
    const users = outcomes.map(createdUser);
    for (const other of users) assert.deepEqual(other, users[0]);
    assert.equal(await storage().users.count(""), 1);
  });

  it("§5 the same request id with other content is a mismatch, in every field", async () => {
    const user = newUser("m@x.io", { requestId: "r", metadata: { a: "1", b: "2" }, roles: ["a", "b"] });
    createdUser(await storage().users.create(user));
    const others = [
      { email: "other@x.io" },
      { email: "M@x.io" },
      { name: "Other" },
      { roles: ["b", "a"] },
      { roles: ["a"] },
      { metadata: { a: "1" } },
      { metadata: { a: "1", b: "3" } },
    ];
    for (const other of others) {
      assert.deepEqual(await storage().users.create({ ...user, ...other }), { kind: "request-mismatch" });
    }
    assert.equal(await storage().users.count(""), 1);
  });

  it("§5 the order of metadata is not content", async () => {
    const first = await storage().users.create(newUser("o@x.io", { requestId: "r", metadata: { a: "1", b: "2" } }));
    const again = await storage().users.create(newUser("o@x.io", { requestId: "r", metadata: { b: "2", a: "1" } }));
    assert.equal(createdUser(again).id, createdUser(first).id);
  });

  it("§5 a late retry neither revives a deleted user nor undoes an update", async () => {
    const request = newUser("late@x.io", { requestId: "late" });
    const user = createdUser(await storage().users.create(request));
    await storage().users.update(user.id, { name: "Renamed" });
    assert.deepEqual(await storage().users.create(request), { kind: "created", user, replayed: true });
    assert.equal((await storage().users.find(user.id))?.name, "Renamed");
    await storage().users.delete(user.id);
    assert.deepEqual(await storage().users.create(request), { kind: "created", user, replayed: true });
    assert.equal(await storage().users.isEmpty(), true);
  });

  it("§5 a request that failed keeps no id: it succeeds once its email is free", async () => {
    const holder = createdUser(await storage().users.create(newUser("busy@x.io")));
    const request = newUser("busy@x.io", { requestId: "again" });
    assert.deepEqual(await storage().users.create(request), { kind: "email-taken" });
    await storage().users.delete(holder.id);
    const outcome = await storage().users.create(request);
    assert.equal(outcome.kind === "created" && !outcome.replayed, true);
  });

  it("what Postgres cannot hold is refused by name before anything is written", async () => {
    const cases: [string, Parameters<typeof newUser>[1]][] = [
      ["name", { name: "nul \0" }],
      ["roles", { roles: ["\ud800"] }],
      ["metadata", { metadata: { "\0": "x" } }],
      ["metadata", { metadata: { x: "\0" } }],
      ["request_id", { requestId: "r\0" }],
      ["name", { name: "x".repeat(1025) }],
      ["name", { name: "é".repeat(513) }],
    ];
    for (const [field, more] of cases) {
      const refused = (error: unknown): boolean => error instanceof UnstorableValueError && error.field === field;
      await assert.rejects(storage().users.create(newUser("u@x.io", more)), refused);
      await assert.rejects(storage().users.createMany([newUser("v@x.io"), newUser("u@x.io", more)]), refused);
    }
    assert.equal(await storage().users.isEmpty(), true);
    createdUser(await storage().users.create(newUser("fits@x.io", { name: "é".repeat(512) })));
  });
};
