// Fills an embedded database with users: `seed-users.ts FOLDER COUNT`. A program of its own, so that what seeding leaves in
// memory is not in the figures of the server that reads them.

import { openStorage } from "../../services/users/src/storage/open-storage.ts";

const BATCH = 1_000;

const [folder, count] = process.argv.slice(2);
if (folder === undefined || !Number.isInteger(Number(count))) throw new Error("usage: seed-users.ts FOLDER COUNT");

const storage = await openStorage({ dataDir: folder });
try {
  for (let from = 0; from < Number(count); from += BATCH) {
    const size = Math.min(BATCH, Number(count) - from);
    const outcomes = await storage.users.createMany(
      Array.from({ length: size }, (_, index) => createUser(from + index)),
    );
    const refused = outcomes.find((outcome) => outcome.kind !== "created");
    if (refused !== undefined) throw new Error(`a user was not created: ${refused.kind}`);
  }
} finally {
  await storage.close();
}

function createUser(index: number) {
  return { email: `user${index}@example.com`, name: `User ${index}`, roles: ["user"], metadata: { team: "engines" } };
}
