/** The behaviour every engine must have alike: each suite runs on PGlite and on Postgres. */

import { changingSuite } from "./changing-suite.ts";
import { runContract } from "./contract.ts";
import { creatingManySuite } from "./creating-many-suite.ts";
import { creatingSuite } from "./creating-suite.ts";
import { messagesSuite } from "./messages-suite.ts";
import { readingSuite } from "./reading-suite.ts";
import { schemaSuite } from "./schema-suite.ts";
import { turnsSuite } from "./turns-suite.ts";

await runContract({
  "creating a user": creatingSuite,
  "creating many users": creatingManySuite,
  "reading users": readingSuite,
  "changing users": changingSuite,
  "the log of rooms": messagesSuite,
  "schema and transactions": schemaSuite,
  "turns of requesters": turnsSuite,
});
