/** Contract: batches, in which every item has its own outcome. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { CreateOutcome, NewUser } from "../../src/storage/user-store.ts";
import { createdUser, newUser, type Suite, sizesOf } from "./contract.ts";

export const creatingManySuite: Suite = (storage) => {
  it("an empty batch is an empty answer", async () => {
    assert.deepEqual(await storage().users.createMany([]), []);
  });

  it("1,000 users in one batch come back in the order they were given", async () => {
    const users = Array.from({ length: 1000 }, (_, i) => newUser(`u${(i * 7919) % 1000}@x.io`));
    const outcomes = await storage().users.createMany(users);
    assert.deepEqual(
      outcomes.map((outcome) => createdUser(outcome).email),
      users.map(({ email }) => email),
    );
    assert.equal(await storage().users.count(""), 1000);
  });

  it("a taken email costs no other item, within the batch and against the table", async () => {
    createdUser(await storage().users.create(newUser("taken@x.io")));
    const outcomes = await storage().users.createMany([
      newUser("a@x.io", { name: "first" }),
      newUser("TAKEN@x.io"),
      newUser("A@x.io", { name: "second" }),
      newUser("b@x.io"),
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["created", "email-taken", "email-taken", "created"],
    );
    assert.equal(createdUser(outcomes[0]).name, "first");
    assert.equal(await storage().users.count(""), 3);
  });

  it("§5 request ids hold within a batch, across batches and towards single creates", async () => {
    const single = createdUser(await storage().users.create(newUser("s@x.io", { requestId: "single" })));
    const batch = [
      newUser("s@x.io", { requestId: "single" }),
      newUser("other@x.io", { requestId: "single" }),
      newUser("n@x.io", { requestId: "new" }),
      newUser("n@x.io", { requestId: "new" }),
      newUser("n2@x.io", { requestId: "new" }),
      newUser("plain@x.io"),
    ];
    const outcomes = await storage().users.createMany(batch);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === "created" ? `created ${outcome.replayed}` : outcome.kind)),
      ["created true", "request-mismatch", "created false", "created true", "request-mismatch", "created false"],
    );
    assert.deepEqual(createdUser(outcomes[0]), single);
    assert.deepEqual(createdUser(outcomes[3]), createdUser(outcomes[2]));
    const again = await storage().users.createMany(batch.slice(0, 5));
    assert.deepEqual(createdUser(again[2]), createdUser(outcomes[2]));
    assert.deepEqual(
      createdUser(await storage().users.create(newUser("n@x.io", { requestId: "new" }))),
      createdUser(outcomes[2]),
    );
    assert.equal(await storage().users.count(""), 3);
  });

  it("§5 an item with a request id whose email was taken may be sent again", async () => {
    const holder = createdUser(await storage().users.create(newUser("t@x.io")));
    const item = newUser("t@x.io", { requestId: "later" });
    assert.deepEqual(await storage().users.createMany([item, item]), [
      { kind: "email-taken" },
      { kind: "email-taken" },
    ]);
    await storage().users.delete(holder.id);
    assert.deepEqual(sizesOf(await storage().users.createMany([item])), { created: 1 });
  });

  it("§5 concurrent batches that share request ids and emails create each user once", async () => {
    const users = Array.from({ length: 40 }, (_, i) =>
      newUser(`c${i}@x.io`, i % 2 === 0 ? { requestId: `c${i}` } : {}),
    );
    const shuffled = (seed: number): NewUser[] => users.map((_, i) => users[(i * 7 + seed * 11) % 40] as NewUser);
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => storage().users.createMany(shuffled(seed))),
    );
    const fresh = results.flat().filter((outcome) => outcome.kind === "created" && !outcome.replayed);
    assert.equal(fresh.length, 40);
    assert.deepEqual(sizesOf(results.flat()), { created: 20 * 12 + 20, "email-taken": 20 * 11 });
    assert.equal(await storage().users.count(""), 40);
  });

  it("a batch gives the outcomes of the same creates one after another", async () => {
    const item = fc.record({
      email: fc.constantFrom("a@x.io", "A@x.io", "b@x.io", "c@x.io"),
      name: fc.constantFrom("n", "m"),
      requestId: fc.option(fc.constantFrom("r1", "r2"), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 6 }), async (items) => {
        const batches = items.map(({ email, name, requestId }) =>
          newUser(email, requestId === undefined ? { name } : { name, requestId }),
        );
        // Items that repeat a request id are decided after the rest of the batch; elsewhere order decides.
        fc.pre(isOrderFree(batches));
        await empty();
        const oneByOne: string[] = [];
        for (const user of batches) oneByOne.push(summary(await storage().users.create(user)));
        await empty();
        assert.deepEqual((await storage().users.createMany(batches)).map(summary), oneByOne);
      }),
      { numRuns: 60 },
    );
  });

  const empty = (): Promise<void> =>
    storage().database.transaction((transaction) => transaction.script("TRUNCATE users, idempotency"));
};

function summary(outcome: CreateOutcome): string {
  if (outcome.kind !== "created") return outcome.kind;
  return `${outcome.user.email} ${outcome.user.name} ${outcome.replayed}`;
}

/** True when no item that repeats a request id competes for an email with an item of another request. */
function isOrderFree(users: readonly NewUser[]): boolean {
  const seen = new Set<string>();
  return users.every(({ requestId, email }, position) => {
    if (requestId === undefined || !seen.has(requestId)) {
      seen.add(requestId ?? "");
      return true;
    }
    return users.every(
      (other, index) =>
        index <= position || other.requestId === requestId || other.email.toLowerCase() !== email.toLowerCase(),
    );
  });
}
