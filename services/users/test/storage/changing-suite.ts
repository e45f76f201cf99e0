/** Contract: updating and deleting. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { UnstorableValueError } from "../../src/storage/storage-error.ts";
import type { UserChange, UserRecord } from "../../src/storage/user-store.ts";
import { addUsers, newUser, type Suite, sizesOf } from "./contract.ts";

export const changingSuite: Suite = (storage) => {
  const addOne = async (email: string): Promise<UserRecord> =>
    (await addUsers(storage(), [newUser(email)]))[0] as UserRecord;

  it("changes only the fields that are given, and the etag and the time with them", async () => {
    let user = await addOne("u@x.io");
    const changes: UserChange[] = [
      { email: "changed@x.io" },
      { name: "" },
      { roles: [] },
      { metadata: {} },
      { roles: ["x", "y"], metadata: { k: "v" } },
    ];
    for (const change of changes) {
      const outcome = await storage().users.update(user.id, change);
      assert.equal(outcome.kind, "updated");
      if (outcome.kind !== "updated") return;
      const { etag, updatedAtMicros } = outcome.user;
      assert.notEqual(etag, user.etag);
      assert.ok(updatedAtMicros > user.updatedAtMicros);
      assert.deepEqual(outcome.user, { ...user, ...change, etag, updatedAtMicros });
      user = outcome.user;
    }
    assert.deepEqual(await storage().users.find(user.id), user);
  });

  it("an unknown id is not found, with an etag too", async () => {
    for (const id of ["999", "", "\0"]) {
      assert.deepEqual(await storage().users.update(id, { name: "x" }), { kind: "not-found" });
      assert.deepEqual(await storage().users.update(id, { name: "x" }, "1"), { kind: "not-found" });
      assert.equal(await storage().users.delete(id), false);
    }
  });

  it("an etag that is not the user's changes nothing", async () => {
    const user = await addOne("e@x.io");
    for (const etag of ["0", "", "no number", "9".repeat(40), "\0"]) {
      assert.deepEqual(await storage().users.update(user.id, { name: "lost" }, etag), { kind: "etag-mismatch" });
    }
    assert.deepEqual(await storage().users.find(user.id), user);
    assert.equal((await storage().users.update(user.id, { name: "won" }, user.etag)).kind, "updated");
    assert.deepEqual(await storage().users.update(user.id, { name: "late" }, user.etag), { kind: "etag-mismatch" });
  });

  it("of 50 concurrent updates with one etag exactly one wins", async () => {
    const user = await addOne("race@x.io");
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => storage().users.update(user.id, { name: `n${i}` }, user.etag)),
    );
    assert.deepEqual(sizesOf(outcomes), { updated: 1, "etag-mismatch": 49 });
  });

  it("an email that another user has is taken; one's own in another case is not", async () => {
    await addOne("first@x.io");
    const second = await addOne("second@x.io");
    assert.deepEqual(await storage().users.update(second.id, { email: "FIRST@x.io" }), { kind: "email-taken" });
    assert.deepEqual(await storage().users.find(second.id), second);
    assert.equal((await storage().users.update(second.id, { email: "Second@X.io" })).kind, "updated");
  });

  it("what Postgres cannot hold is refused and changes nothing", async () => {
    const user = await addOne("n@x.io");
    await assert.rejects(storage().users.update(user.id, { name: "\0" }), UnstorableValueError);
    assert.deepEqual(await storage().users.find(user.id), user);
  });

  it("deletes once, frees the email, and tells whether there is any user", async () => {
    assert.equal(await storage().users.isEmpty(), true);
    const user = await addOne("d@x.io");
    assert.equal(await storage().users.isEmpty(), false);
    const deletions = await Promise.all(Array.from({ length: 10 }, () => storage().users.delete(user.id)));
    assert.equal(deletions.filter(Boolean).length, 1);
    assert.equal(await storage().users.find(user.id), undefined);
    assert.equal(await storage().users.isEmpty(), true);
    assert.notEqual((await addOne("d@x.io")).id, user.id);
  });

  it("remembers who was deleted, and forgets it for an id that is a user's again", async () => {
    const { users, database } = storage();
    const user = await addOne("d@x.io");
    const isDeleted = (): Promise<boolean[]> =>
      Promise.all([user.id, "never a user", "", "\0"].map((id) => users.isDeleted(id)));
    assert.deepEqual(await isDeleted(), [false, false, false, false]);
    assert.equal(await users.delete("never a user"), false);
    assert.equal(await users.delete(user.id), true);
    assert.deepEqual(await isDeleted(), [true, false, false, false]);
    assert.equal(await users.isDeleted((await addOne("d@x.io")).id), false);

    const sample = "INSERT INTO users (id, email, name, roles, metadata) VALUES ($1, 's@x.io', '', '{}', '{}')";
    await database.write(sample, [user.id]);
    assert.equal(await users.isDeleted(user.id), false);
    assert.equal(await users.delete(user.id), true);
    assert.equal(await users.isDeleted(user.id), true);
  });
};
