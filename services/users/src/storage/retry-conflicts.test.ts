/** The retry policy on a database that fails as told. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Database } from "./database.ts";
import { retryConflicts } from "./retry-conflicts.ts";
import { SqlError, StorageUnavailableError } from "./storage-error.ts";

/** Fails with `failures` in turn, then works. */
function failingDatabase(failures: Error[]): { database: Database; attempts: () => number } {
  let attempts = 0;
  const attempt = async (): Promise<never[]> => {
    const failure = failures[attempts++];
    if (failure !== undefined) throw failure;
    return [];
  };
  const database: Database = {
    engine: "pglite",
    lookup: attempt,
    query: attempt,
    write: attempt,
    transaction: async (run) => {
      await attempt();
      return run({ query: attempt, script: async () => undefined });
    },
    close: async () => undefined,
  };
  return { database, attempts: () => attempts };
}

const conflict = (code: string): SqlError => new SqlError("conflict", code, undefined);

function recordingWaits(): { waits: number[]; environment: Parameters<typeof retryConflicts>[1] & object } {
  const waits: number[] = [];
  return { waits, environment: { wait: async (ms) => waits.push(ms), random: () => 0.5 } };
}

it("§5 a serialization failure and a deadlock are tried again, each wait twice the last", async () => {
  const { database, attempts } = failingDatabase([conflict("40001"), conflict("40P01"), conflict("40001")]);
  const { waits, environment } = recordingWaits();
  await retryConflicts(database, environment).query("SELECT 1");
  assert.equal(attempts(), 4);
  assert.deepEqual(waits, [4, 8, 16]);
});

it("§5 a fourth conflict is the caller's", async () => {
  const failures = Array.from({ length: 9 }, () => conflict("40P01"));
  const { database, attempts } = failingDatabase(failures);
  const { environment } = recordingWaits();
  await assert.rejects(
    retryConflicts(database, environment).transaction(async () => undefined),
    (error) => error === failures[3],
  );
  assert.equal(attempts(), 4);
});

it("nothing else is tried again, for it may have happened", async () => {
  for (const failure of [conflict("23505"), new StorageUnavailableError("gone"), new TypeError("bug")]) {
    const { database, attempts } = failingDatabase([failure]);
    const { waits, environment } = recordingWaits();
    await assert.rejects(retryConflicts(database, environment).query("SELECT 1"), (error) => error === failure);
    assert.deepEqual([attempts(), waits], [1, []]);
  }
});
