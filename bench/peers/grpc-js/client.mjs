// The peer as a client: grpc-js with proto-loader, as its documentation sets it up. `client.mjs PORT`, then jobs.

import { fileURLToPath } from "node:url";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { runClosedLoop } from "../../clients/closed-loop.ts";
import { answerJobs } from "../../lib/worker-jobs.ts";

const protoFolder = fileURLToPath(new URL("../../../proto/", import.meta.url));
const definition = loadPackageDefinition(loadSync("user.proto", { includeDirs: [protoFolder] }));
const client = new definition.user.UserService(`127.0.0.1:${process.argv[2]}`, credentials.createInsecure());

const getUser = (userId) =>
  new Promise((resolve, reject) => {
    client.getUser({ userId }, (error, response) => (error ? reject(error) : resolve(response.user?.id)));
  });

answerJobs((job) => runClosedLoop(getUser, job));
