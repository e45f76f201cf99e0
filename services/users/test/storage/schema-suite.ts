/** Contract: transactions, migrations and sample users. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { loadMigrations, migrate } from "../../src/storage/migrate.ts";
import { SAMPLE_USERS, seedSampleUsers } from "../../src/storage/sample-users.ts";
import { SqlError, StorageOpenError } from "../../src/storage/storage-error.ts";
import { addUsers, newUser, type Suite } from "./contract.ts";

const INSERT = "INSERT INTO users (id, email, name, roles, metadata) VALUES ($1, $2, '', '{}', '{}')";

export const schemaSuite: Suite = (storage) => {
  it("a transaction that fails leaves nothing behind, and the next one works", async () => {
    const { database, users } = storage();
    const failing = database.transaction(async (transaction) => {
      await transaction.query(INSERT, ["half", "half@x.io"]);
      await transaction.query(INSERT, ["half", "twice@x.io"]);
    });
    await assert.rejects(failing, (error) => error instanceof SqlError && error.code === "23505");
    const thrown = new TypeError("by the caller");
    const throwing = database.transaction(async (transaction) => {
      await transaction.query(INSERT, ["half", "half@x.io"]);
      throw thrown;
    });
    await assert.rejects(throwing, (error) => error === thrown);
    assert.equal(await users.isEmpty(), true);
    await database.transaction((transaction) => transaction.query(INSERT, ["whole", "whole@x.io"]));
    assert.equal((await users.find("whole"))?.email, "whole@x.io");
  });

  it("nobody sees a transaction before it commits, and concurrent ones do not mix", async () => {
    const { database, users } = storage();
    const pairs = Array.from({ length: 10 }, (_, i) =>
      database.transaction(async (transaction) => {
        await transaction.query(INSERT, [`a${i}`, `a${i}@x.io`]);
        await transaction.query(INSERT, [`b${i}`, `b${i}@x.io`]);
        if (i % 2 === 1) throw new Error("rolled back");
      }),
    );
    const settled = Promise.allSettled(pairs);
    assert.equal((await users.count("")) % 2, 0);
    const results = await settled;
    assert.equal(results.filter(({ status }) => status === "rejected").length, 5);
    assert.equal(await users.count(""), 10);
  });

  it("a refused statement tells its SQLSTATE and its constraint", async () => {
    const { database } = storage();
    await database.query(INSERT, ["1", "same@x.io"]);
    await assert.rejects(database.query(INSERT, ["2", "SAME@x.io"]), (error) => {
      return error instanceof SqlError && error.code === "23505" && error.constraint === "users_email_unique";
    });
    await assert.rejects(
      database.query("SELECT nothing"),
      (error) => error instanceof SqlError && error.code === "42703",
    );
  });

  it("migrations that were applied are not applied again", async () => {
    assert.deepEqual(await migrate(storage().database, await loadMigrations()), []);
  });

  it("a migration that was changed after it was applied stops the start", async () => {
    const [first, ...rest] = await loadMigrations();
    assert.ok(first);
    const changed = [{ ...first, checksum: "0".repeat(64) }, ...rest];
    await assert.rejects(migrate(storage().database, changed), (error) => {
      return error instanceof StorageOpenError && /0001_users\.sql differs .* new migration/.test(error.message);
    });
  });

  it("a migration that fails leaves neither its own changes nor those of the ones before it", async () => {
    const { database } = storage();
    const known = await loadMigrations();
    const next = known.length + 1;
    const added = [
      { version: next, name: "good", sql: "CREATE TABLE half_made (id int);", checksum: "a" },
      { version: next + 1, name: "bad", sql: "CREATE TABLE other (id int); SELECT 1 / 0;", checksum: "b" },
    ];
    await assert.rejects(migrate(database, [...known, ...added]), (error) => {
      return error instanceof SqlError && error.code === "22012";
    });
    const [row] = await database.query<{ found: boolean }>(
      "SELECT to_regclass('half_made') IS NOT NULL OR to_regclass('other') IS NOT NULL AS found",
    );
    assert.equal(row?.found, false);
    const [versions] = await database.query<{ total: number }>("SELECT count(*)::int AS total FROM schema_migrations");
    assert.equal(versions?.total, known.length);
  });

  it("every order of a list is served by its index", async () => {
    const { database } = storage();
    for (const [order, index] of [
      ["created_at DESC, id DESC", "users_by_created_at"],
      ["updated_at, id", "users_by_updated_at"],
      ['name COLLATE "C", id', "users_by_name"],
      ['email COLLATE "C" DESC, id DESC', "users_by_email"],
    ]) {
      const plan = await database.transaction(async (transaction) => {
        await transaction.script("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off");
        return transaction.query(`EXPLAIN SELECT id FROM users ORDER BY ${order} LIMIT 10`);
      });
      assert.match(JSON.stringify(plan), new RegExp(`Index .*Scan.* using ${index}`));
      assert.doesNotMatch(JSON.stringify(plan), /Sort/);
    }
  });

  it("sample users fill an empty database once, and no other", async () => {
    const { users } = storage();
    const added = await Promise.all([seedSampleUsers(storage()), seedSampleUsers(storage())]);
    assert.equal(added[0] + added[1], SAMPLE_USERS.length);
    assert.equal((await users.find("123"))?.email, "john.doe@example.com");
    assert.equal((await users.find("alice"))?.name, "Alice Adams");
    const order = { field: "created_at", descending: false } as const;
    assert.deepEqual(
      (await users.list({ filter: "", order }, 10)).map(({ id }) => id),
      SAMPLE_USERS.map(({ id }) => id),
    );
    for (const { id } of SAMPLE_USERS) await users.delete(id);
    await addUsers(storage(), [newUser("mine@x.io")]);
    assert.equal(await seedSampleUsers(storage()), 0);
    assert.equal(await users.count(""), 1);
  });

  it("answers a ping", async () => {
    await storage().ping();
  });
};
