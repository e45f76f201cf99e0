/** Contract: whose turn it is, and what becomes of those who no longer wait. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { SqlStorage } from "../../src/storage/open-storage.ts";
import type { Requester } from "../../src/storage/requester.ts";
import { newUser, type Suite } from "./contract.ts";

const CROWD = { group: "192.0.2.1", member: "192.0.2.1:1000" };
const OTHER = { group: "192.0.2.2", member: "192.0.2.2:1000" };
/** Connections of the pool by default; PGlite has one session. */
const PLACES = { pglite: 1, postgres: 10 };
const NEWEST = { filter: "", order: { field: "created_at", descending: true } } as const;

export const turnsSuite: Suite = (storage) => {
  it("what is cancelled before its turn leaves at once, and is never done", async () => {
    const { users, messages } = storage();
    const release = await occupy(storage());
    const controller = new AbortController();
    const requester: Requester = { ...CROWD, signal: controller.signal };
    const cancelled: Promise<unknown>[] = [];
    for (let n = 0; n < 100; n++) {
      cancelled.push(users.create(newUser(`${n}@one.io`), requester));
      cancelled.push(users.createMany([newUser(`${n}@many.io`)], requester));
      cancelled.push(users.list(NEWEST, 10, requester), users.count("", requester));
      cancelled.push(users.scan(NEWEST, 0, requester)[Symbol.asyncIterator]().next());
      cancelled.push(messages.append("r", "s", "hi", requester), messages.readAfter("r", 0n, ALL, requester));
    }
    controller.abort();
    for (const result of await Promise.allSettled(cancelled)) {
      assert.equal(result.status === "rejected" && result.reason.name, "AbortError");
    }
    await release();
    assert.equal(await users.count(""), 0);
    assert.equal(await messages.lastSequence("r"), 0n);
  });

  it("one statement of another requester is not behind all of a crowd", async () => {
    const { users } = storage();
    const release = await occupy(storage());
    const ended: string[] = [];
    const note =
      (name: string): (() => void) =>
      () =>
        void ended.push(name);
    const crowd = Array.from({ length: 200 }, (_, n) =>
      users.createMany([newUser(`${n}@crowd.io`)], CROWD).then(note("crowd")),
    );
    const other = users.create(newUser("other@x.io"), OTHER).then(note("other"));
    await release();
    await Promise.all([...crowd, other]);
    assert.equal(ended.length, 201);
    assert.ok(ended.indexOf("other") < 30, `${ended.indexOf("other")} of the crowd came first`);
  });
};

const ALL = { messages: 1000, bytes: 1_000_000 };

/** Takes every place with a transaction. What it resolves with ends them, and resolves when they have ended. */
async function occupy({ database }: SqlStorage): Promise<() => Promise<void>> {
  const gate = Promise.withResolvers<void>();
  const begun: Promise<void>[] = [];
  const ended = Array.from({ length: PLACES[database.engine] }, () => {
    const start = Promise.withResolvers<void>();
    begun.push(start.promise);
    return database.transaction(() => {
      start.resolve();
      return gate.promise;
    });
  });
  await Promise.all(begun);
  return async () => {
    gate.resolve();
    await Promise.all(ended);
  };
}
