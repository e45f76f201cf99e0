/**
 * Runs a suite against both engines, each opened once a file and emptied before every test. Owns the engines' lives in
 * tests and builders of users; knows nothing of what is tested.
 */
import { after, before, beforeEach, describe } from "node:test";
import { openStorage, type SqlStorage } from "../../src/storage/open-storage.ts";
import type { CreateOutcome, NewUser, UserRecord } from "../../src/storage/user-store.ts";
import { PATIENT, startPostgres } from "./postgres-server.ts";

export type Suite = (storage: () => SqlStorage) => void;

/** Every suite on PGlite in memory and on a Postgres of our own. */
export async function runContract(suites: Readonly<Record<string, Suite>>): Promise<void> {
  const postgres = await startPostgres();
  onEngine("pglite", suites, () => openStorage({ url: "memory://" }));
  if ("skip" in postgres) {
    describe("postgres", { skip: postgres.skip }, () => undefined);
    return;
  }
  onEngine("postgres", suites, () => openStorage({ url: postgres.server.url, limits: PATIENT }));
  after(() => postgres.server.stop());
}

function onEngine(name: string, suites: Readonly<Record<string, Suite>>, open: () => Promise<SqlStorage>): void {
  describe(name, () => {
    let storage: SqlStorage;
    before(async () => {
      storage = await open();
    });
    after(() => storage.close());
    beforeEach(() => storage.database.transaction((transaction) => transaction.script(EMPTY_ALL)));
    for (const [title, suite] of Object.entries(suites)) describe(title, () => suite(() => storage));
  });
}

const EMPTY_ALL = "TRUNCATE users, deleted_users, idempotency, chat_rooms, chat_messages";

export function newUser(email: string, more: Partial<NewUser> = {}): NewUser {
  return { email, name: `Name of ${email}`, roles: ["user"], metadata: { origin: "test" }, ...more };
}

/** The user of an outcome that must be `created`. */
export function createdUser(outcome: CreateOutcome | undefined): UserRecord {
  if (outcome?.kind !== "created") throw new Error(`expected a created user, got ${outcome?.kind}`);
  return outcome.user;
}

export async function addUsers(storage: SqlStorage, users: readonly NewUser[]): Promise<UserRecord[]> {
  return (await storage.users.createMany(users)).map(createdUser);
}

export function sizesOf(values: readonly { readonly kind: string }[]): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { kind } of values) sizes[kind] = (sizes[kind] ?? 0) + 1;
  return sizes;
}
