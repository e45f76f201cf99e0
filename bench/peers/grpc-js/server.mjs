// The peer: grpc-js with proto-loader, as its documentation sets it up. Runs on Node 24; the answer is the one that every
// stack gives.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createUserResponse, REQUESTED_ID } from "../../user-response.ts";

const protoFolder = fileURLToPath(new URL("../../../proto/", import.meta.url));
const definition = loadPackageDefinition(loadSync("user.proto", { includeDirs: [protoFolder] }));

const answer = async ({ request }) => createUserResponse(request.userId, Number);

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
});

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening ${port}`);
});
process.once("SIGTERM", () => server.forceShutdown());
