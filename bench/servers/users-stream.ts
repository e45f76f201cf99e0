// The users service over an embedded database in the folder given as argument. Prints `scan ended` whenever the storage
// stopped reading for a stream, which is how the bench sees from outside that a query is over.

import { createUsersServer } from "../../services/users/src/service.ts";
import { openStorage } from "../../services/users/src/storage/open-storage.ts";
import type { UserStore } from "../../services/users/src/storage/user-store.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: users-stream.ts FOLDER");

const storage = await openStorage({ dataDir: folder });
announceScanEnds(storage.users);

const server = createUsersServer({ storage, pageTokenKey: "a key of this run" });
const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening ${port}`);

process.once("SIGTERM", async () => {
  await server.drain({ graceMs: 1_000 });
  await storage.close();
});

function announceScanEnds(users: UserStore): void {
  const scan = users.scan.bind(users);
  users.scan = async function* (query, limit, signal) {
    try {
      yield* scan(query, limit, signal);
    } finally {
      console.log("scan ended");
    }
  };
}
