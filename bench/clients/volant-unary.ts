// Our client in the unary-client scenario: the public API. `volant-unary.ts PORT`, then jobs.

import { Channel, createClient } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { answerJobs } from "../lib/worker-jobs.ts";
import { runClosedLoop } from "./closed-loop.ts";
import type { LoadJob } from "./protocol.ts";

const users = createClient(UserService, new Channel(`127.0.0.1:${process.argv[2]}`));

async function getUser(userId: string): Promise<string | undefined> {
  return (await users.getUser({ userId })).user?.id;
}

answerJobs((job: LoadJob) => runClosedLoop(getUser, job));
