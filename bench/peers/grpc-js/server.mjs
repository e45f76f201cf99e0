// The peer: grpc-js with proto-loader, as its documentation sets it up. Runs on Node 24; the answer is the one that every
// stack gives.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { echoChat, isUploadedUser } from "../../streamed-messages.ts";
import { createUserResponse, REQUESTED_ID } from "../../user-response.ts";

const protoFolder = fileURLToPath(new URL("../../../proto/", import.meta.url));
const definition = loadPackageDefinition(loadSync("user.proto", { includeDirs: [protoFolder] }));

const answer = async ({ request }) => createUserResponse(request.userId, Number);

/** The handlers that every stack has. */
const iterating = {
  async createUserStream(call, callback) {
    let createdCount = 0;
    for await (const user of call) if (isUploadedUser(user)) createdCount++;
    callback(null, { createdCount });
  },
  async userChat(call) {
    for await (const message of call) if (!call.write(echoChat(message))) await once(call, "drain");
    call.end();
  },
};

/** What is fastest here, without regard for whoever does not read: `server.mjs listeners`. */
const listening = {
  createUserStream(call, callback) {
    let createdCount = 0;
    call.on("data", (user) => {
      if (isUploadedUser(user)) createdCount++;
    });
    call.on("end", () => callback(null, { createdCount }));
  },
  userChat(call) {
    call.on("data", (message) => call.write(echoChat(message)));
    call.on("end", () => call.end());
  },
};

const server = new Server();
server.addService(definition.user.UserService.service, {
  getUser(call, callback) {
    answer(call).then((response) => callback(null, response), callback);
  },
  async streamUsers(call) {
    for (let count = 0; count < call.request.pageSize; count++) {
      if (!call.write(createUserResponse(REQUESTED_ID, Number))) await once(call, "drain");
    }
    call.end();
  },
  ...(process.argv[2] === "listeners" ? listening : iterating),
});

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening ${port}`);
});
process.once("SIGTERM", () => server.forceShutdown());
