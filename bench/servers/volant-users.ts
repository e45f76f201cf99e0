// Our server in the scenarios of streams and floods: the public API, async functions and generators, and a new message for each answer.
// `volant-users.ts [FOLDER]`: with the folder of lib/tls-files.ts it takes TLS only.

import { Server } from "volant";
import { UserService } from "../../services/users/src/gen/user_pb.ts";
import { readIdentity } from "../lib/tls-files.ts";
import { echoChat, isUploadedUser } from "../streamed-messages.ts";
import { createUserResponse, REQUESTED_ID } from "../user-response.ts";

const server = new Server();
server.add(
  UserService,
  {
    async getUser({ userId }) {
      return createUserResponse(userId, BigInt);
    },
    async *streamUsers({ pageSize }) {
      for (let count = 0; count < pageSize; count++) yield createUserResponse(REQUESTED_ID, BigInt);
    },
    async createUserStream(users) {
      let createdCount = 0;
      for await (const user of users) if (isUploadedUser(user)) createdCount++;
      return { createdCount };
    },
    async *userChat(messages) {
      for await (const message of messages) yield echoChat(message);
    },
  },
  { partial: true },
);

const folder = process.argv[2];
const tls = folder === undefined ? undefined : readIdentity(folder);
const { port } = await server.listen({ host: "127.0.0.1", port: 0, ...(tls && { tls }) });
console.log(`listening ${port}`);
process.once("SIGTERM", () => server.drain({ graceMs: 1_000 }));
