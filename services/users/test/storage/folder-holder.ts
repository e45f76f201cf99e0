/** A process that opens a data folder, adds a user, says its id, and then holds the folder until it is killed. */
import { openStorage } from "../../src/storage/open-storage.ts";

const storage = await openStorage({ dataDir: process.argv[2] });
const outcome = await storage.users.create({ email: "held@x.io", name: "Held", roles: [], metadata: {} });
process.stdout.write(`${outcome.kind === "created" ? outcome.user.id : outcome.kind}\n`);
