/** Contract: finding, listing, counting and scanning. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { SERVICE } from "../../src/storage/requester.ts";
import { cursorAt, SqlUserStore } from "../../src/storage/sql-user-store.ts";
import {
  SORT_FIELDS,
  type SortField,
  type UserQuery,
  type UserRecord,
  type UserSummary,
} from "../../src/storage/user-store.ts";
import { addUsers, newUser, type Suite } from "./contract.ts";

const NEWEST: UserQuery = { filter: "", order: { field: "created_at", descending: true } };

export const readingSuite: Suite = (storage) => {
  it("finds users, also many at once, and the same one twice", async () => {
    const users = await addUsers(storage(), [newUser("a@x.io"), newUser("b@x.io")]);
    const [a, b] = users as [UserRecord, UserRecord];
    const ids = [b.id, "999", a.id, a.id, "", "\0", "\ud800", "%"];
    const found = await Promise.all(ids.map((id) => storage().users.find(id)));
    assert.deepEqual(found, [b, undefined, a, a, undefined, undefined, undefined, undefined]);
  });

  it("finds of one turn become one query of at most 500 ids, or 50 where metadata is read", async () => {
    const { users, queries } = withCountedReads();
    const ids = Array.from({ length: 1200 }, (_, i) => `id-${i}`);
    const summaries = await Promise.all(ids.map((id) => users.findSummary(id)));
    assert.deepEqual(queries.splice(0), [500, 500, 200]);
    const records = await Promise.all(ids.slice(0, 120).map((id) => users.find(id)));
    assert.deepEqual(queries, [50, 50, 20]);
    assert.deepEqual(new Set([...summaries, ...records]), new Set([undefined]));
  });

  it("pages through every order over ties, by position, without losing or repeating a user", async () => {
    await addUsers(
      storage(),
      Array.from({ length: 57 }, (_, i) => newUser(`${i % 3 === 0 ? "B" : "b"}${i}@x.io`, { name: `Name ${i % 4}` })),
    );
    for (const field of SORT_FIELDS) {
      for (const descending of [false, true]) {
        const order = { field, descending };
        const whole = await storage().users.list({ filter: "", order }, 1000);
        assert.equal(new Set(whole.map(({ id }) => id)).size, 57);
        assert.deepEqual(
          whole,
          whole.toSorted((a, b) => compareBy(field, a, b) * (descending ? -1 : 1)),
        );
        const paged: UserSummary[] = [];
        let page = await storage().users.list({ filter: "", order }, 10);
        while (page.length > 0) {
          paged.push(...page);
          const after = cursorAt(page.at(-1) as UserSummary, field);
          page = await storage().users.list({ filter: "", order, after }, 10);
        }
        assert.deepEqual(paged, whole);
      }
    }
  });

  it("skips rows for page numbers, also after a position and beyond the end", async () => {
    await addUsers(
      storage(),
      Array.from({ length: 9 }, (_, i) => newUser(`s${i}@x.io`)),
    );
    const order = { field: "email", descending: false } as const;
    const emails = async (more: Partial<UserQuery>): Promise<string[]> =>
      (await storage().users.list({ filter: "", order, ...more }, 3)).map(({ email }) => email);
    assert.deepEqual(await emails({ skip: 3 }), ["s3@x.io", "s4@x.io", "s5@x.io"]);
    assert.deepEqual(await emails({ skip: 8 }), ["s8@x.io"]);
    assert.deepEqual(await emails({ skip: 9 }), []);
    assert.deepEqual(await emails({ skip: 2_147_483_647 * 1000 }), []);
    assert.deepEqual(await emails({ after: { value: "s1@x.io", id: "z" }, skip: 1 }), [
      "s3@x.io",
      "s4@x.io",
      "s5@x.io",
    ]);
  });

  it("a filter is a literal part of name or email, whatever its case", async () => {
    const names = ["100% sure", "1000 sure", "under_score", "underXscore", "back\\slash", "Élan", "[a-z].*", "O'Neill"];
    await addUsers(
      storage(),
      names.map((name, i) => newUser(`f${i}@filter.io`, { name })),
    );
    const cases: [string, string[]][] = [
      ["100%", ["100% sure"]],
      ["%", ["100% sure"]],
      ["_", ["under_score"]],
      ["R_S", ["under_score"]],
      ["\\", ["back\\slash"]],
      ["élAN", ["Élan"]],
      [".*", ["[a-z].*"]],
      ["o'n", ["O'Neill"]],
      ["F3@FILTER", ["underXscore"]],
      ["nobody", []],
      ["\0", []],
      ["\udc00", []],
    ];
    for (const [filter, expected] of cases) {
      const found = await storage().users.list({ ...NEWEST, filter }, 100);
      assert.deepEqual(found.map(({ name }) => name).sort(), expected, filter);
      assert.equal(await storage().users.count(filter), expected.length, filter);
      assert.equal((await collect({ ...NEWEST, filter }, 0)).length, expected.length, filter);
    }
    assert.equal(await storage().users.count(""), names.length);
  });

  it("scans 5,000 users in batches, and no further than asked", async () => {
    await addThousands(5);
    const { users, queries } = withCountedReads();
    const seen = new Set<string>();
    for await (const batch of users.scan(NEWEST, 0)) {
      assert.ok(batch.length <= 500);
      for (const { id } of batch) seen.add(id);
    }
    assert.equal(seen.size, 5000);
    assert.ok(queries.length > 11 && queries.length < 60, `${queries.length} queries`);
    assert.equal((await collect(NEWEST, 1234)).length, 1234);
    assert.equal((await collect({ ...NEWEST, skip: 4990 }, 0)).length, 10);
    assert.deepEqual(await collect(NEWEST, 700), await storage().users.list(NEWEST, 700));
  });

  it("a scan begins small and keeps to its bytes, however large the rows are that come", async () => {
    const roles = Array.from({ length: 32 }, (_, i) => `${"é".repeat(60)}${i}`);
    await addUsers(
      storage(),
      Array.from({ length: 300 }, (_, i) => {
        const position = String(i).padStart(3, "0");
        return newUser(`${position}@large.io`, { name: position, roles: i < 200 ? ["small"] : roles });
      }),
    );
    const { users, queries } = withCountedReads();
    const order = { field: "email", descending: false } as const;
    const batches: UserSummary[][] = [];
    for await (const batch of users.scan({ filter: "", order }, 0)) batches.push(batch);
    assert.deepEqual(
      batches.flat().map(({ name }) => Number(name)),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.equal(batches[0]?.length, 8);
    const largest = Math.max(
      ...batches.map((batch) => Buffer.byteLength(JSON.stringify(batch.map(({ roles }) => roles)))),
    );
    assert.ok(largest < 80 * 1024, `${largest} bytes of roles in a batch`);
    assert.ok(batches.some((batch) => batch.length > 100));
    assert.equal(queries.length, batches.length, "a batch that is not full is the last");
  });

  it("lists and scans read no metadata, and a find reads it only where it is wanted", async () => {
    const metadata = { note: "x".repeat(2000) };
    const [user] = await addUsers(storage(), [newUser("a@x.io", { metadata })]);
    const { metadata: _, ...summary } = user as UserRecord;
    assert.deepEqual(await storage().users.list(NEWEST, 10), [summary]);
    assert.deepEqual(await collect(NEWEST, 0), [summary]);
    assert.deepEqual(await storage().users.findSummary(summary.id), summary);
    assert.equal(await storage().users.findSummary("999"), undefined);
    assert.deepEqual((await storage().users.find(summary.id))?.metadata, metadata);
  });

  it("finds that nobody waits for are left out of the query that would have had them", async () => {
    const [user] = await addUsers(storage(), [newUser("a@x.io")]);
    const { users, queries } = withCountedReads();
    const signal = AbortSignal.abort();
    const cancelled = Array.from({ length: 30 }, (_, i) => users.find(`id-${i}`, { ...SERVICE, signal }));
    const found = users.find(user?.id ?? "");
    for (const result of await Promise.allSettled(cancelled)) {
      assert.equal(result.status === "rejected" && result.reason.name, "AbortError");
    }
    assert.deepEqual(await found, user);
    assert.deepEqual(queries, [1]);
  });

  it("a scan asks for the next batch only when its reader does, and stops when it leaves", async () => {
    await addThousands(2);
    const { users, queries } = withCountedReads();
    const scan = users.scan(NEWEST, 0)[Symbol.asyncIterator]();
    await scan.next();
    assert.equal(queries.length, 1);
    // Nothing is held while the reader thinks: a transaction of another caller goes through.
    await storage().users.createMany([newUser("between@x.io")]);
    await scan.next();
    await scan.return?.();
    assert.equal((await scan.next()).done, true);
    assert.equal(queries.length, 2);
  });

  it("an aborted scan throws an AbortError and queries no more, whatever the reason given", async () => {
    await addThousands(2);
    const { users, queries } = withCountedReads();
    const controller = new AbortController();
    let batches = 0;
    const reading = async (): Promise<void> => {
      for await (const _ of users.scan(NEWEST, 0, { ...SERVICE, signal: controller.signal })) {
        if (++batches === 2) controller.abort(new TypeError("client left"));
      }
    };
    await assert.rejects(reading(), { name: "AbortError" });
    assert.deepEqual([batches, queries.length], [2, 2]);
  });

  it("an aborted list or count throws an AbortError", async () => {
    const aborted = AbortSignal.abort(new TypeError("gone"));
    await assert.rejects(storage().users.list(NEWEST, 1, { ...SERVICE, signal: aborted }), { name: "AbortError" });
    await assert.rejects(storage().users.count("x", { ...SERVICE, signal: aborted }), { name: "AbortError" });
    const controller = new AbortController();
    const counting = storage().users.count("y", { ...SERVICE, signal: controller.signal });
    controller.abort();
    await assert.rejects(counting, { name: "AbortError" });
    assert.equal(await storage().users.count("z", { ...SERVICE, signal: new AbortController().signal }), 0);
  });

  async function collect(query: UserQuery, limit: number): Promise<UserSummary[]> {
    const users: UserSummary[] = [];
    for await (const batch of storage().users.scan(query, limit)) users.push(...batch);
    return users;
  }

  async function addThousands(thousands: number): Promise<void> {
    for (let t = 0; t < thousands; t++) {
      await addUsers(
        storage(),
        Array.from({ length: 1000 }, (_, i) => newUser(`t${t}-${i}@x.io`)),
      );
    }
  }

  /** A store over the same engine that notes how many values the first parameter of each read has. */
  function withCountedReads(): { users: SqlUserStore; queries: number[] } {
    const { database } = storage();
    const queries: number[] = [];
    const users = new SqlUserStore({
      engine: database.engine,
      query: (text, params, requester) => {
        queries.push(1);
        return database.query(text, params, requester);
      },
      lookup: (text, params) => {
        queries.push(Array.isArray(params?.[0]) ? params[0].length : 0);
        return database.lookup(text, params);
      },
      write: (text, params) => database.write(text, params),
      transaction: (run) => database.transaction(run),
      close: () => database.close(),
    });
    return { users, queries };
  }
};

function compareBy(field: SortField, a: UserSummary, b: UserSummary): number {
  const [left, right] = [keyOf(field, a), keyOf(field, b)];
  if (left !== right) return left < right ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function keyOf(field: SortField, user: UserSummary): string | bigint {
  switch (field) {
    case "created_at":
      return user.createdAtMicros;
    case "updated_at":
      return user.updatedAtMicros;
    default:
      return user[field];
  }
}
